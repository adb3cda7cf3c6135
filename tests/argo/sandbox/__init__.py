"""The program that is one pod. It starts once for every pod, so it imports nothing but the standard library, and little of that."""

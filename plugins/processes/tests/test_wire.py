import os
from socket import MSG_DONTWAIT, socketpair

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_processes.wire import MAX_FDS, Lines, encode, receive, send


@given(lines=st.lists(st.binary(max_size=20).map(lambda data: data.replace(b"\n", b"")), max_size=8), cuts=st.lists(st.integers(1, 7)))
def test_lines_come_whole_however_the_stream_is_cut(lines: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(line + b"\n" for line in lines) + b"unfinished"
    cutter, got = Lines(), []
    for size in cuts:
        got += cutter.feed(stream[:size])
        stream = stream[size:]
    got += cutter.feed(stream)
    assert got == lines
    assert cutter.feed(b" no more\n") == [b"unfinished no more"]


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text())))
def test_a_message_is_one_line(message: dict[str, object]) -> None:
    line = encode(message)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")


@pytest.mark.parametrize("count", [0, 1, MAX_FDS])
def test_descriptors_come_with_the_first_bytes_and_in_order(count: int) -> None:
    ours, theirs = socketpair()
    with ours, theirs:
        opened = [os.pipe() for _ in range(count)]
        for number, (_, wake) in enumerate(opened):
            os.write(wake, b"%d" % number)
        send(ours, b"x" * 70_000, [woken for woken, _ in opened])
        data, fds = receive(theirs, MSG_DONTWAIT)
        fds = list(fds)
        rest, none = receive(theirs, MSG_DONTWAIT)
        assert data + rest == b"x" * 70_000
        assert list(none) == []
        assert [os.read(fd, 10) for fd in fds] == [b"%d" % number for number in range(count)]
        assert not any(os.get_inheritable(fd) for fd in fds)
        for fd in [*fds, *(fd for pair in opened for fd in pair)]:
            os.close(fd)
        ours.close()
        assert receive(theirs, 0)[0] == b""

"""Pods as processes: what they see, what they are given, how they end."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from argo.engine import run
from argo.nodes import Phase
from argo.pods import NamespaceRunner
from argo.problems import RunnerError
from argo.submission import Submission
from handmade import container, dag, files, parameters, task, workflow
from podwork import alive, execute, python, seen, waited_for

pytestmark = pytest.mark.needs("namespaces")
TESTS = Path(__file__).parents[2]


def test_a_pod_sees_nothing_of_the_author(image, tmp_path):
    (tmp_path / "secret").write_text("of the author")
    author = [str(tmp_path), str(tmp_path / "secret"), str(TESTS), os.path.expanduser("~/.cache"), "/sys/kernel", "/run/lock", "/var/lib"]
    told = seen(f"import json, os; print(json.dumps([each for each in {author!r} if os.path.exists(each)]))", image)
    assert told == []


def test_home_temporary_and_working_folder_are_empty_and_the_pod_s_own(image):
    code = """
        import json, os, tempfile
        places = [os.path.expanduser("~"), os.getcwd(), "/var/tmp", "/dev/shm", "/mnt", "/run"]
        inside = {place: os.listdir(place) for place in places}
        for place in (*places, tempfile.gettempdir()):
            open(os.path.join(place, "left-by-a-pod"), "w").close()
        print(json.dumps([inside, tempfile.gettempdir(), os.path.exists("{before}")]))
    """
    with tempfile.NamedTemporaryFile() as before:
        told = [seen(code.replace("{before}", before.name), image) for _ in range(2)]
    empty = {place: [] for place in ("/home/pod", "/pod", "/var/tmp", "/dev/shm", "/mnt", "/run")}
    assert told == [[empty, "/tmp", False]] * 2
    assert [place for place in (*empty, "/tmp") if os.path.exists(f"{place}/left-by-a-pod")] == []


def test_the_environment_is_what_the_container_says_and_a_path(image):
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    result = execute(workflow(python(code, env=[{"name": "LC_ALL", "value": "C"}, {"name": "A", "value": "a\n'b'"}])), image)
    told = json.loads(result.root.log)
    told.pop("LC_CTYPE", None)  # Python's own
    assert told.pop("PATH").split(":")[0] == str(image / "bin")
    assert told == {"HOME": "/home/pod", "HOSTNAME": "pods-1", "LC_ALL": "C", "A": "a\n'b'"}


def test_the_interpreter_is_the_image_s(image):
    assert seen("import json, sys; print(json.dumps([sys.prefix, sys.path[-1]]))", image)[0] == str(image)


def test_processes_and_host_name_are_the_pod_s_own(image):
    code = """
        import json, os, socket
        own = sorted(int(each) for each in os.listdir("/proc") if each.isdigit())
        print(json.dumps([own, os.getpid(), socket.gethostname(), sorted(os.listdir("/dev"))]))
    """
    devices = ["fd", "full", "null", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"]
    assert seen(code, image) == [[1, 2], 2, "pods-1", devices]


def test_the_machine_s_programs_can_be_read_and_not_written(image):
    code = f"""
        import errno, json, os
        def write(folder):
            try:
                open(folder + "/written-by-a-pod", "w").close()
            except OSError as error:
                return errno.errorcode[error.errno]
        print(json.dumps([write(each) for each in ("/usr", "/etc", "/bin", "{image}")]))
    """
    assert seen(code, image) == ["EROFS"] * 4


def test_a_folder_below_the_programs_can_be_hidden(image):
    code = "import json, os; print(json.dumps([os.listdir('/usr/share'), os.access('/usr/share', os.W_OK)]))"
    assert seen(code, image)[0] != []
    assert seen(code, image, hide=[Path("/usr/share")]) == [[], False]


def test_output_files_are_read_where_the_pod_wrote_them(image):
    code = """
        import os
        open("/tmp/n", "w").write("é\\n\\n")
        os.mkdir("/tmp/folder")
        open("/mnt/out/bytes", "wb").write(b"a\\xff")
        open("/home/pod/big", "wb").write(b"a" * 262145)
    """
    paths = {"n": "/tmp/n", "folder": "/tmp/folder", "bytes": "/mnt/out/bytes", "big": "/home/pod/big", "no": "/tmp/no"}
    outputs = {"parameters": [{"name": name, "valueFrom": {"path": path, "default": "none"}} for name, path in paths.items()]}
    volume = {"volumes": [{"name": "out", "emptyDir": {}}], "container": {"volumeMounts": [{"name": "out", "mountPath": "/mnt/out"}]}}
    result = execute(workflow(python(code, outputs=outputs, **volume)), image)
    assert result.root.outputs == {"n": "é\n", "folder": "none", "bytes": "a\ufffd", "big": "none", "no": "none"}
    assert result.root.log == "the output file /home/pod/big has more than 262144 bytes\n"


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("", 0),
        ("raise SystemExit(3)", 3),
        ("import os; os.kill(os.getpid(), 9)", 137),
        ("import os; os.abort()", 134),
        ("raise SystemExit(125)", 125),
    ],
)
def test_exit_codes_are_a_container_s(image, code, exit_code):
    result = execute(workflow(python(code)), image)
    assert (result.root.exit_code, result.phase) == (exit_code, Phase.FAILED if exit_code else Phase.SUCCEEDED)


def test_a_command_that_is_not_there_says_so(image):
    result = execute(workflow(python("", container={"command": ["no-such-program"]})), image)
    assert (result.root.exit_code, result.root.log) == (128, "cannot start 'no-such-program': No such file or directory\n")


def test_what_both_streams_print_is_kept_to_the_last_byte(image):
    result = execute(workflow(python("import os; [os.write(1 + n % 2, b'%d ' % n) for n in range(5)]; os.kill(os.getpid(), 9)")), image)
    assert result.root.log == "0 1 2 3 4 "


def test_arguments_reach_the_program_without_a_shell(image):
    words = ["", " ", "$HOME", "$(id)", "`id`", "'", '"', "\\", "*", "é\n", "--"]
    code = "import json, sys; print(json.dumps(sys.argv[1:]))"
    result = execute(workflow(python(code, container={"args": [code, *words]})), image)
    assert json.loads(result.root.log) == words


def test_typed_values_reach_the_program_through_base64(image):
    value = "\x01{{workflow.name}} $(HOME) $$ \"'\\\n é🦜 }}"
    code = "import base64, json, os; print(json.dumps(base64.b64decode(os.environ['V']).decode()))"
    env = [{"name": "V", "value": "{{=toBase64(workflow.parameters.v)}}"}]
    manifest = workflow(python(code, env=env), arguments=parameters(v=None))
    assert json.loads(execute(manifest, image, parameters={"v": value}).root.log) == value


def test_a_pod_past_its_deadline_is_asked_to_end(image):
    code = """
        import signal, time
        def end(*_):
            print("asked", flush=True)
            raise SystemExit(9)
        signal.signal(signal.SIGTERM, end)
        time.sleep(600)
    """
    result = execute(workflow(python(code, activeDeadlineSeconds=1)), image, grace=60)
    assert (result.phase, result.root.exit_code, result.root.log) == (Phase.FAILED, 9, "asked\n")
    assert result.message == "Pod was active on the node longer than the specified deadline"


def test_a_pod_that_does_not_end_is_killed_with_all_it_started(image):
    marker = f"stubborn-{os.getpid()}"
    code = f"""
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for _ in range(2):
            if os.fork() == 0:
                os.setsid()
        print("{marker}", flush=True)
        time.sleep(600)
    """
    result = execute(workflow(python(code, activeDeadlineSeconds=1)), image, grace=0.1)
    assert (result.phase, result.root.exit_code, result.root.log) == (Phase.FAILED, 137, f"{marker}\n" * 4)
    waited_for(lambda: alive(marker) == [])


def test_a_pod_that_is_lost_is_an_error_and_may_be_tried_again(image):
    code = "import sys, time; print(sys.argv[1], flush=True); time.sleep(600 if sys.argv[1] == '0' else 0)"
    retry = {"limit": 1, "retryPolicy": "Always", "backoff": {"duration": "1m"}}
    work = python(code, container={"args": [code, "{{retries}}"]}, retryStrategy=retry)
    with NamespaceRunner({"python": image}) as runner:

        class Losing:
            """Takes the first pod away once it has printed something."""

            def start(self, pod):
                handle = runner.start(pod)
                if not pod.node.endswith("(0)"):
                    return handle
                waited_for(lambda: runner.log(pod.name))
                runner.delete(pod.name)
                return handle

        result = run(workflow(work), Submission("pods-1"), Losing(), backoff_scale=0.001)
    assert [(each.phase, each.message, each.exit_code) for each in result.root.attempts] == [
        (Phase.ERROR, "pod deleted", None),
        (Phase.SUCCEEDED, "", 0),
    ]


def test_pods_run_at_the_same_time_and_hand_values_on(image):
    make = python("open('/tmp/n', 'w').write('3')", "make", outputs=files("n"))
    work = python("import sys; print(int(sys.argv[1]) ** 2)", "work", inputs=parameters(x=None))
    work["container"]["args"].append("{{inputs.parameters.x}}")
    loop = task("loop", "make.Succeeded", arguments=parameters(x="{{item}}"), withSequence={"count": "{{tasks.make.outputs.parameters.n}}"})
    result = execute(workflow(dag("main", task("make", template="make"), loop), make, work, parallelism=2), image)
    assert result.phase is Phase.SUCCEEDED, result.describe()
    assert [each.log for each in result.node("loop").children] == ["0\n", "1\n", "4\n"]


OWNER = """
import sys
sys.path[:0] = [{tests!r}, {here!r}]
from pathlib import Path
from argo.engine import run
from argo.pods import NamespaceRunner
from argo.submission import Submission
from handmade import workflow
code = "import sys, time; print('up', flush=True); time.sleep(600) # {marker}"
main = {{"name": "main", "container": {{"image": "python", "command": ["python", "-c", code]}}}}
with NamespaceRunner({{"python": Path({image!r})}}, ports=[1]) as runner:
    print(runner.state, flush=True)
    run(workflow(main), Submission("pods-1"), runner)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_pods_end_with_the_process_that_runs_them(image, number, tmp_path):
    marker = f"owned-{os.getpid()}-{number}"
    program = OWNER.format(tests=str(TESTS), here=str(Path(__file__).parent), marker=marker, image=str(image))
    script = tmp_path / "owner.py"
    script.write_text(program)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as owner:
        state = Path(owner.stdout.readline().strip())
        log = state / "pods-1.log"
        waited_for(lambda: log.exists() and log.read_text() == "up\n")
        assert alive(marker)
        owner.send_signal(number)
        owner.wait(timeout=60)
    waited_for(lambda: alive(marker) == [])
    assert str(state) not in Path("/proc/mounts").read_text()
    assert state.exists() == (number == signal.SIGKILL)
    shutil.rmtree(state, ignore_errors=True)


def test_nothing_of_a_run_is_left(image):
    with NamespaceRunner({"python": image}) as runner:
        run(workflow(python("")), Submission("pods-1"), runner)
        state = runner.state
        assert (state / "pods-1.log").exists()
        assert list((state / "root").iterdir()) == []
    assert not state.exists()


def test_what_cannot_be_run_faithfully_is_refused(image, tmp_path):
    for images, message in (({}, "there is no image 'python'"), ({"python": tmp_path}, "is no virtual environment")):
        with NamespaceRunner(images) as runner, pytest.raises(RunnerError, match=message):
            run(workflow(python("")), Submission("pods-1"), runner)
    with pytest.raises(RunnerError, match="the pod could not be set up"):
        execute(workflow(python("")), image, ports=[99999])
    with pytest.raises(RunnerError, match="securityContext is not honoured"):
        execute(workflow(container("main", container={"image": "python", "command": ["x"], "securityContext": {"runAsUser": 1}})), image)

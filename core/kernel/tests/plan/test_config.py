from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.plan.config import Config, load_config
from headrace.plan.files import find_project
from headrace.plan.schema import KEYS
from headrace_hookspecs import ConfigError


class Place:
    """A project folder and a user's file."""

    def __init__(self, root: Path) -> None:
        self.project = root / "project"
        self.project.mkdir()
        self.user = root / "config" / "headrace" / "config.toml"
        self.user.parent.mkdir(parents=True)
        self.file = self.project / "headrace.toml"
        self.environ = {"XDG_CONFIG_HOME": str(root / "config"), "HOME": "/nonexistent"}

    def load(self, *options: str, profile: str | None = None, defaults: Any = None, **environ: str) -> Config:
        return load_config(
            project=str(self.project), options=options, profile=profile, environ={**self.environ, **environ}, defaults=defaults
        )

    def refusal(self, *options: str, **keywords: Any) -> ConfigError:
        with pytest.raises(ConfigError) as caught:
            self.load(*options, **keywords)
        assert caught.value.exit_status == 2
        return caught.value


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


# ---- layers


def test_without_any_source_every_key_has_its_default(place: Place) -> None:
    config = place.load()
    assert {key: (value, origin) for key, value, origin in config.items()} == {name: (key.default, "default") for name, key in KEYS.items()}
    assert (config.project, config.profile) == (str(place.project), None)


def test_each_layer_beats_the_ones_below_and_keeps_its_origin(place: Place) -> None:
    key = "datastore.name"
    layers = [("plugin acme", "hook")]
    defaults = {"acme": {"datastore": {"name": "hook"}}}
    assert place.load(defaults=defaults).origin(key) == "plugin acme"
    place.user.write_text('[datastore]\nname = "user"\n[profile.prod.datastore]\nname = "user-prod"\n')
    assert (place.load(defaults=defaults).get(key), place.load(defaults=defaults).origin(key)) == ("user", str(place.user))
    place.file.write_text('[datastore]\nname = "project"\n')
    assert (place.load(defaults=defaults).get(key), place.load().origin(key)) == ("project", str(place.file))
    prod = place.load(profile="prod", defaults=defaults)
    assert (prod.get(key), prod.origin(key), prod.profile) == ("user-prod", f"{place.user} [profile.prod]", "prod")
    place.file.write_text('[datastore]\nname = "project"\n[profile.prod.datastore]\nname = "project-prod"\n')
    assert place.load(HEADRACE_PROFILE="prod").get(key) == "project-prod"
    assert place.load(profile="prod").origin(key) == f"{place.file} [profile.prod]"
    variable = place.load(profile="prod", HEADRACE_DATASTORE__NAME="variable")
    assert (variable.get(key), variable.origin(key)) == ("variable", "HEADRACE_DATASTORE__NAME")
    option = place.load("datastore.name=one", "datastore.name=two", profile="prod", HEADRACE_DATASTORE__NAME="variable")
    assert (option.get(key), option.origin(key)) == ("two", "-o datastore.name")
    assert layers


def test_the_profile_option_beats_the_variable(place: Place) -> None:
    place.file.write_text('[profile.a.datastore]\nname = "a"\n[profile.b.datastore]\nname = "b"\n')
    assert place.load(profile="a", HEADRACE_PROFILE="b").get("datastore.name") == "a"


def test_tables_are_merged_and_lists_replaced(place: Place) -> None:
    place.user.write_text('[datastore.s3]\nroot = "u"\nretries = 3\n[plugins]\ndisable = ["a", "b"]\n')
    place.file.write_text('[datastore.s3]\nroot = "p"\n[plugins]\ndisable = ["c"]\n')
    config = place.load()
    assert config.section("datastore.s3") == {"root": "p", "retries": 3}
    assert config.get("plugins.disable") == ["c"]
    assert config.origin("datastore.s3.retries") == str(place.user)


def test_a_value_replaces_a_whole_table_and_the_other_way_round(place: Place) -> None:
    place.file.write_text("[hooks.acme]\nx = { a = 1, b = 2 }\ny = 3\n")
    config = place.load("hooks.acme.x=7", "hooks.acme.y={z = 1}")
    assert config.section("hooks.acme") == {"x": 7, "y": {"z": 1}}
    assert config.origin("hooks.acme.x.a") == "default"


SCALAR = st.integers(0, 9) | st.text("ab", min_size=1, max_size=2) | st.booleans()
TREE = st.dictionaries(
    st.sampled_from("xyz"), SCALAR | st.dictionaries(st.sampled_from("pq"), SCALAR, min_size=1, max_size=2), min_size=1, max_size=3
)


def overlay(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """What merging means, said once more: tables merge, everything else replaces."""
    result = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = overlay(result[key], value) if both else value
    return result


def toml(tree: dict[str, Any], prefix: str) -> str:
    lines = [f"[{prefix}]"]
    for key, value in tree.items():
        inline = "{" + ", ".join(f"{name} = {json.dumps(item)}" for name, item in value.items()) + "}" if isinstance(value, dict) else ""
        lines.append(f"{key} = {inline or json.dumps(value)}")
    return "\n".join(lines) + "\n"


def leaves(tree: dict[str, Any], prefix: str) -> list[tuple[str, Any]]:
    found = []
    for key, value in tree.items():
        found += leaves(value, f"{prefix}.{key}") if isinstance(value, dict) else [(f"{prefix}.{key}", value)]
    return found


@settings(max_examples=60)
@given(st.lists(TREE | st.just({}), min_size=7, max_size=7))
def test_precedence_is_option_variable_profile_project_user_hook(trees: list[dict[str, Any]]) -> None:
    import tempfile

    hook, user, project, user_profile, project_profile, variables, options = trees
    with tempfile.TemporaryDirectory() as root:
        place = Place(Path(root))
        place.user.write_text(toml(user, "hooks.acme") + toml(user_profile, "profile.prod.hooks.acme"))
        place.file.write_text(toml(project, "hooks.acme") + toml(project_profile, "profile.prod.hooks.acme"))
        environ = {"HEADRACE_" + key.upper().replace(".", "__"): json.dumps(value) for key, value in leaves(variables, "hooks.acme")}
        given_options = [f"{key}={json.dumps(value)}" for key, value in leaves(options, "hooks.acme")]
        config = place.load(*given_options, profile="prod", defaults={"plug": {"hooks": {"acme": hook}}}, **environ)
        model: dict[str, Any] = {}
        origins: dict[str, str] = {}
        for tree, origin in [
            (hook, "plugin plug"),
            (user, str(place.user)),
            (project, str(place.file)),
            (user_profile, f"{place.user} [profile.prod]"),
            (project_profile, f"{place.file} [profile.prod]"),
            (variables, "HEADRACE_"),
            (options, "-o "),
        ]:
            model = overlay(model, tree)
            origins |= dict.fromkeys((key for key, _ in leaves(tree, "hooks.acme")), origin)
        assert config.section("hooks.acme") == model
        for key, _ in leaves(model, "hooks.acme"):
            assert config.origin(key).startswith(origins[key])


# ---- sources


def test_pyproject_counts_where_it_has_a_table_of_ours(place: Place) -> None:
    other = place.project / "pyproject.toml"
    other.write_text('[project]\nname = "x"\n[tool.headrace.datastore]\nname = "s3"\n')
    config = place.load()
    assert (config.get("datastore.name"), config.origin("datastore.name")) == ("s3", str(other))
    place.file.write_text("")
    assert "Both headrace.toml and [tool.headrace] in pyproject.toml" in place.refusal().message
    other.write_text('# tool.headrace\n[project]\nname = "x"\n')
    assert place.load().get("datastore.name") == "files"


def test_the_users_file_is_found_below_home_without_xdg(tmp_path: Path) -> None:
    file = tmp_path / ".config" / "headrace" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[run]\nmax_workers = 3\n")
    assert load_config(project=None, environ={"HOME": str(tmp_path)}).get("run.max_workers") == 3
    assert load_config(project=None, environ={}).origin("run.max_workers") == "default"


def test_the_project_is_the_nearest_folder_with_configuration(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    assert find_project(str(deep)) == str(deep)
    (tmp_path / "headrace.toml").write_text("")
    assert find_project(str(deep)) == str(tmp_path)
    (tmp_path / "a" / "b" / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert find_project(str(deep)) == str(tmp_path)
    (tmp_path / "a" / "b" / "pyproject.toml").write_text("[tool.headrace]\nrun.grace = 1\n")
    assert find_project(str(deep)) == str(tmp_path / "a" / "b")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True), ("false", False), ("3", 3), ("-1", -1), ("1_000", 1000), ("2.5", 2.5), ('"3"', "3"), ("'x'", "x"),
        ('["a", "b"]', ["a", "b"]), ("{a = 1}", {"a": 1}), ("s3://bucket/x", "s3://bucket/x"), ("", ""), ("True", "True"),
        ("2026-07-31", "2026-07-31"), ("[2026-07-31]", "[2026-07-31]"), ("nan", "nan"), ("inf", "inf"), ("1\nx = 2", "1\nx = 2"),
        ("a=b", "a=b"), ("1 # note", 1), ("012", "012"),
    ],
)  # fmt: skip
def test_values_from_options_and_variables_are_toml_or_else_text(place: Place, text: str, value: Any) -> None:
    for config in (place.load(f"hooks.acme.x={text}"), place.load(HEADRACE_HOOKS__ACME__X=text)):
        assert config.get("hooks.acme.x") == value
        assert type(config.get("hooks.acme.x")) is type(value)


def test_only_variables_with_two_underscores_are_configuration(place: Place) -> None:
    environ = {
        "HEADRACE_RUN": "F/1", "HEADRACE_STEP": "start", "HEADRACE_DATASTORE": "{}", "HEADRACE_PARAM_ALPHA": "1",
        "HEADRACE_PARAM_MY__NAME": "1", "HEADRACE_TRACE_HOOKS": "1", "HEADRACE_PLUGIN_LOCK": "x", "HEADRACE_USER": "me", "OTHER__X": "1",
        "HEADRACE_PROFILE": "",
    }  # fmt: skip
    assert list(place.load(**environ).items()) == list(place.load().items())


# ---- what is refused


def test_an_unknown_key_is_refused_with_the_nearest(place: Place) -> None:
    place.file.write_text("[run]\nmax_worker = 3\n")
    error = place.refusal()
    assert error.code == "config-invalid"
    assert error.message == (
        f"Configuration: run.max_worker is unknown ({place.file}). "
        "Did you mean 'run.max_workers'? Known: run.grace, run.max_num_splits, run.max_workers, run.with."
    )
    place.file.write_text("[datastor.s3]\nroot = 3\n")
    message = place.refusal().message
    assert message.startswith(
        f"Configuration: datastor.s3.root is unknown ({place.file}). Did you mean 'datastore'? Known: card, command, "
    )
    assert "launcher, limits, metadata, " in message


def test_all_problems_of_all_layers_are_listed_together(place: Place) -> None:
    place.user.write_text("[limits]\nattempts = 0\n")
    place.file.write_text('[serializers]\nallow_pickle = "no"\n[datastor]\nname = "s3"\n[datastore]\nroot = "x"\n')
    lines = place.refusal("run.grace=soon", HEADRACE_PLUGINS__DISABLE="s3").message.splitlines()
    assert lines[0] == "The configuration has 6 problems:"
    assert sorted(line.split(".", 2)[1].split(" ")[0] for line in lines[1:]) == sorted(
        ["attempts", "allow_pickle", "name", "root", "grace", "disable"]
    )
    assert f"  - limits.attempts has to be at least 1, not 0 ({place.user})." in lines
    assert f"  - serializers.allow_pickle has to be true or false, not 'no' ({place.file})." in lines
    assert "  - run.grace has to be a number, not 'soon' (-o run.grace)." in lines
    assert "  - plugins.disable has to be a list, not 's3' (HEADRACE_PLUGINS__DISABLE)." in lines


def test_a_plugins_key_outside_its_section_is_explained(place: Place) -> None:
    message = place.refusal("datastore.root=/x").message
    assert "datastore.root is unknown (-o datastore.root)." in message
    assert message.endswith("A plugin's own keys go below its name: [datastore.NAME].")


@pytest.mark.parametrize("option", ["datastore", "=x", "datastore.name", " =3"])
def test_an_option_without_key_or_value_is_refused(place: Place, option: str) -> None:
    assert place.refusal(option).message == f"-o {option}: write -o KEY=VALUE."


@pytest.mark.parametrize(
    "option", ["datastore=s3", "run=3", "plugins.prefer.datastore.s3=3", "plugins.prefer.datastore=x", "x=1", "profile.a.x=1"]
)
def test_values_in_place_of_tables_and_odd_keys_are_refused(place: Place, option: str) -> None:
    assert option.partition("=")[0] in place.refusal(option).message


def test_text_that_looks_like_a_number_is_text_where_text_is_wanted(place: Place) -> None:
    assert place.load("datastore.name=7", HEADRACE_METADATA__NAME="1e5").data["datastore"]["name"] == "7"
    assert place.load(HEADRACE_METADATA__NAME="1e5").get("metadata.name") == "1e5"
    place.file.write_text("[datastore]\nname = 7\n")
    assert "datastore.name has to be text, not 7" in place.refusal().message


def test_a_date_has_no_place_in_the_configuration(place: Place) -> None:
    place.file.write_text("[hooks.acme]\nday = 2026-07-31\n")
    assert place.refusal().message.endswith("Put it in quotes.")


def test_broken_toml_is_an_error_with_file_and_line(place: Place) -> None:
    place.file.write_text("[run]\nmax_workers = \n")
    error = place.refusal()
    assert (error.code, error.file, error.line) == ("config-syntax", str(place.file), 2)
    place.file.write_bytes(b"\xff\xfe")
    assert place.refusal().code == "config-syntax"


def test_an_unreadable_file_is_an_error(place: Place, unprivileged: Callable[..., Any]) -> None:
    place.file.write_text("")
    place.file.chmod(0)
    assert unprivileged(lambda: [place.refusal().code, place.refusal().file]) == ["config-unreadable", str(place.file)]


def test_a_folder_in_place_of_the_file_is_an_error(place: Place) -> None:
    place.file.mkdir()
    assert (place.refusal().code, place.refusal().file) == ("config-unreadable", str(place.file))


def test_an_unknown_profile_is_refused_with_the_nearest(place: Place) -> None:
    place.file.write_text('[profile.prod.datastore]\nname = "s3"\n')
    error = place.refusal(profile="prd")
    assert (error.code, error.message) == ("config-profile", f"There is no profile 'prd' (read: {place.file}).")
    assert error.remedy == "Did you mean 'prod'? Known: prod."


def test_hook_defaults_cannot_decide_which_plugins_are_loaded(place: Place) -> None:
    error = place.refusal(defaults={"acme": {"plugins": {"disable": []}}})
    assert error.message.startswith("The plugin 'acme' sets defaults for [plugins]")


# ---- sections of plugins


@attrs.frozen
class S3:
    root: str
    retries: int = 3
    cache: Path | None = None
    account: str | None = None


@attrs.frozen
class Client:
    account: str = ""
    extra: Mapping[str, str] = attrs.Factory(dict)


@attrs.frozen
class Nested:
    client: Client = attrs.Factory(Client)


def test_an_empty_section_is_constructed_plainly() -> None:
    @attrs.frozen
    class Plain:
        size: int = 1

    assert Config({}, "/p").structure(Plain, "datastore.plain") == Plain()


def test_a_section_becomes_the_plugins_class(place: Place) -> None:
    place.file.write_text('[datastore.s3]\nroot = "s3://x"\ncache = "c"\n')
    config = place.load("datastore.s3.account=0012", HEADRACE_DATASTORE__S3__RETRIES="7")
    assert config.structure(S3, "datastore.s3") == S3("s3://x", 7, Path("c"), "0012")


def test_typed_text_travels_as_its_owner_wants_it(place: Place) -> None:
    config = place.load("datastore.s3.account=1200", "datastore.s3.root=1e5")
    assert config.structure(S3, "datastore.s3") == S3("1e5", account="1200")
    travelled = Config(json.loads(json.dumps(config.data)), config.project)
    assert travelled.structure(S3, "datastore.s3") == S3("1e5", account="1200")


def test_typed_text_in_a_table_of_a_section_travels_too(place: Place) -> None:
    config = place.load("datastore.s3.client.account=1200", "datastore.s3.client.extra.id=7")
    wanted = Nested(Client("1200", {"id": "7"}))
    assert config.structure(Nested, "datastore.s3") == wanted
    travelled = Config(json.loads(json.dumps(config.data)), config.project)
    assert travelled.structure(Nested, "datastore.s3") == wanted


def test_all_problems_of_a_section_are_listed_with_their_origin(place: Place) -> None:
    place.file.write_text('[datastore.s3]\nrot = "s3://x"\nretries = "3"\n')
    with pytest.raises(ConfigError) as caught:
        place.load().structure(S3, "datastore.s3")
    assert caught.value.message.splitlines() == [
        "The configuration has 3 problems:",
        f"  - datastore.s3.rot is unknown ({place.file}). Did you mean 'root'? Known: account, cache, retries, root.",
        f"  - datastore.s3.retries has to be an integer, not '3' ({place.file}).",
        "  - datastore.s3.root is missing.",
    ]


def test_the_section_of_a_plugin_that_is_not_used_is_not_judged(place: Place) -> None:
    place.file.write_text("[datastore.s3]\nnonsense = [1]\n[datastore.empty]\n")
    assert place.load().section("datastore.s3") == {"nonsense": [1]}

"""Where settings come from, which source wins, and what is said of a setting that cannot be used."""

import tomllib
from pathlib import Path

import pytest

from leucippus.config import EngineSettings, Settings, load_settings
from leucippus.errors import ConfigError

SECRET = "sk-do-not-show-me"


def test_the_defaults_need_no_file() -> None:
    settings = load_settings()
    assert settings.model == "packaged"
    assert settings.engine == EngineSettings()


def test_a_file_in_the_working_folder_is_read() -> None:
    Path("leucippus.toml").write_text('model = "Qwen/Qwen3-0.6B"\n[engine]\nmax_num_seqs = 8\n')
    assert load_settings().model == "Qwen/Qwen3-0.6B"
    assert load_settings().engine.max_num_seqs == 8


def test_the_users_file_is_read_where_the_folder_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "config"
    home.mkdir()
    (home / "config.toml").write_text('log_level = "debug"\n')
    monkeypatch.setattr("leucippus.config.user_config_path", lambda *_: home)
    assert load_settings().log_level == "debug"

    load_settings.cache_clear()
    Path("leucippus.toml").write_text('model = "here"\n')
    assert (load_settings().model, load_settings().log_level) == ("here", "warning")


def test_a_named_file_is_read_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("leucippus.toml").write_text('model = "not-this"\n')
    (tmp_path / "other.toml").write_text('model = "this"\n')
    monkeypatch.setenv("LEUCIPPUS_CONFIG", str(tmp_path / "other.toml"))
    assert load_settings().model == "this"


def test_the_environment_wins_over_the_file_setting_by_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("leucippus.toml").write_text("[engine]\nmax_num_seqs = 8\nreplicas = 2\n")
    monkeypatch.setenv("LEUCIPPUS_ENGINE__MAX_NUM_SEQS", "32")
    assert load_settings().engine.max_num_seqs == 32
    assert load_settings().engine.replicas == 2


def test_what_is_given_in_code_wins_over_both(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("leucippus.toml").write_text('model = "file"\n')
    monkeypatch.setenv("LEUCIPPUS_MODEL", "environment")
    assert Settings(model="code").model == "code"
    assert Settings().model == "environment"


@pytest.mark.parametrize(
    ("text", "name"),
    [("modle = 1\n", "modle"), ("[engine]\nmax_seqs = 8\n", "engine.max_seqs"), ("[engin]\nreplicas = 1\n", "engin")],
)
def test_an_unknown_setting_is_named(text: str, name: str) -> None:
    Path("leucippus.toml").write_text(text)
    with pytest.raises(ConfigError, match=f"'{name}'"):
        load_settings()


def test_an_unknown_setting_in_a_group_of_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEUCIPPUS_ENGINE__MAX_SEQS", "8")
    with pytest.raises(ConfigError, match=r"(?i)engine\.max_seqs"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [("ENGINE__MAX_NUM_SEQS", "many"), ("ENGINE__REPLICAS", "0"), ("LOG_LEVEL", "loud"), ("EXTRACT__ASKING", "shut")],
)
def test_a_value_of_the_wrong_kind_is_shown(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"LEUCIPPUS_{name}", value)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert value in caught.value.problem
    assert name.lower().replace("__", ".") in caught.value.problem
    assert "leucippus.toml" in caught.value.next_step


def test_a_group_that_is_not_json_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEUCIPPUS_ENGINE", "fast")
    with pytest.raises(ConfigError, match="engine"):
        load_settings()


@pytest.mark.parametrize("content", [b"model = ", b"\xff\xfe", b'model = "a"\nmodel = "b"\n'])
def test_a_file_that_is_not_toml_is_named(content: bytes) -> None:
    Path("leucippus.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"leucippus\.toml"):
        load_settings()


def test_a_named_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEUCIPPUS_CONFIG", "/no/such/file.toml")
    with pytest.raises(ConfigError, match="/no/such/file.toml"):
        load_settings()


def test_the_key_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEUCIPPUS_API_KEY", SECRET)
    settings = load_settings()
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == SECRET
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)
    assert SECRET not in settings.model_dump_json()


@pytest.mark.parametrize("text", ["api_key = [{secret!r}]", "apikey = {secret!r}", "[endpoint]\napi_key = {secret!r}"])
def test_a_key_in_the_wrong_place_is_not_shown_either(text: str) -> None:
    Path("leucippus.toml").write_text(text.format(secret=SECRET))
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert SECRET not in str(caught.value)


def test_the_example_file_names_every_setting_with_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    example = Path(__file__).parents[2] / "deploy" / "leucippus.toml"
    default = load_settings()
    load_settings.cache_clear()
    monkeypatch.setenv("LEUCIPPUS_CONFIG", str(example))
    assert load_settings() == default
    written = tomllib.loads(example.read_text(encoding="utf-8"))
    for group in ("engine", "endpoint", "extract", "study"):
        assert set(written[group]) == set(type(getattr(default, group)).model_fields)


@pytest.mark.parametrize("name", ["LEUCIPPUS_MODLE", "LEUCIPPUS_ASKING", "LEUCIPPUS_ENGIN__REPLICAS"])
def test_a_variable_that_names_no_setting_is_not_ignored(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, SECRET)
    with pytest.raises(ConfigError, match=name) as caught:
        load_settings()
    assert SECRET not in str(caught.value)


def test_a_cache_folder_may_be_given_from_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEUCIPPUS_CACHE_DIR", raising=False)
    Path("leucippus.toml").write_text('cache_dir = "~/models"')
    assert load_settings().cache_dir == Path.home() / "models"

"""Typed settings: a TOML file, then `LEUCIPPUS_*` environment variables, then command-line options.

The file is `leucippus.toml` in the working folder, else `config.toml` in the user's configuration folder;
`LEUCIPPUS_CONFIG` names another. Nested settings use two underscores: `LEUCIPPUS_ENGINE__MAX_NUM_SEQS=32`.
"""

import os
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_cache_path, user_config_path
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from leucippus.errors import ConfigError

PACKAGED_MODEL = "packaged"


class EngineSettings(BaseModel):
    """One vLLM engine. The defaults fit a laptop with two cores and 8 GiB."""

    model_config = ConfigDict(extra="forbid")

    dtype: Literal["auto", "bfloat16", "float32", "float16"] = Field(
        default="auto",
        description="weights and activations; auto = the model's own, or float32 on a CPU that only emulates bfloat16",
    )
    max_model_len: int = Field(default=2048, ge=128, description="tokens of prompt and answer together")
    max_num_seqs: int = Field(default=64, ge=1, description="requests decoded side by side")
    kv_cache_gib: int = Field(
        default=1, ge=1, description="GiB of key-value cache on a CPU; vLLM takes most of RAM unasked"
    )
    compile: bool = Field(default=False, description="compile the model: minutes to start, faster for long runs")
    replicas: int = Field(default=1, ge=1, description="engines in the pool")
    gpus_per_engine: int = Field(default=0, ge=0, description="0 = run on the CPU")
    max_lora_rank: int = Field(default=16, ge=1, description="largest LoRA rank an adapter may have")
    start_timeout_s: float = Field(default=600, gt=0, description="seconds to wait for an engine to become ready")


class TaggerSettings(BaseModel):
    """The small encoder that reads every sentence of a corpus."""

    model_config = ConfigDict(extra="forbid")

    replicas: int = Field(default=1, ge=1, description="taggers in the pool")
    threads: int = Field(default=0, ge=0, description="CPU threads of each; 0 = all of its machine")


class EndpointSettings(BaseModel):
    """A remote OpenAI-compatible endpoint, used when the model is a URL."""

    model_config = ConfigDict(extra="forbid")

    timeout_s: float = Field(default=120, gt=0, description="seconds to wait for one answer")
    max_retries: int = Field(default=4, ge=0, description="tries after the first, with exponential backoff")
    concurrency: int = Field(default=16, ge=1, description="requests in flight at once")


class ExtractSettings(BaseModel):
    """How documents are cut and read."""

    model_config = ConfigDict(extra="forbid")

    passage_chars: int = Field(default=400, ge=40, description="sentences are joined up to this many characters")
    batch_passages: int = Field(
        default=256, ge=1, description="passages read and committed together; the unit of resuming"
    )
    reading: Literal["auto", "tagger", "cascade", "model"] = Field(
        default="auto",
        description="tagger: the tuned encoder reads; cascade: the language model reads again what it doubts; "
        "model: the language model reads all; auto: tagger where the adapter has one, else model",
    )
    asking: Literal["auto", "anchored", "open", "brief"] = Field(
        default="auto",
        description="anchored: spans around each causal expression, for small models; open: any claim, for strong ones; "
        "brief: for tuned ones; auto: brief with the LoRA adapter of an extractor, else anchored",
    )
    require_cue: bool = Field(
        default=True, description="anchored and open: accept a claim only where a causal expression joins its spans"
    )
    max_tokens: int = Field(default=160, ge=16, description="longest answer to one passage")
    max_document_mb: float = Field(default=64, gt=0, description="larger files are recorded as failures, not read")


class StudySettings(BaseModel):
    """What vetting and estimating a design may take."""

    model_config = ConfigDict(extra="forbid")

    max_memory_mb: float = Field(
        default=0, ge=0, description="for rows and the estimators' copies; more is refused; 0 = most of what is free"
    )


class Settings(BaseSettings):
    """All of it."""

    model_config = SettingsConfigDict(env_prefix="LEUCIPPUS_", env_nested_delimiter="__", extra="forbid")

    model: str = Field(
        default=PACKAGED_MODEL,
        description="'packaged', the folder of a model or of an adapter to merge, a hub name, or an OpenAI-compatible URL",
    )
    adapter: str | None = Field(
        default=PACKAGED_MODEL,
        description="'packaged' (the tuned extractor, for the packaged model), 'none', or the folder of an extractor or a "
        "LoRA adapter",
    )
    api_key: SecretStr | None = Field(default=None, description="key for a remote endpoint; never logged")
    cache_dir: Path = Field(default_factory=lambda: user_cache_path("leucippus"), description="unpacked models")
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    ray_address: str | None = Field(default=None, description="a running Ray cluster; none = start a local one")
    engine: EngineSettings = Field(default_factory=lambda: EngineSettings())
    tagger: TaggerSettings = Field(default_factory=lambda: TaggerSettings())
    endpoint: EndpointSettings = Field(default_factory=lambda: EndpointSettings())
    extract: ExtractSettings = Field(default_factory=lambda: ExtractSettings())
    study: StudySettings = Field(default_factory=lambda: StudySettings())

    @field_validator("cache_dir")
    @classmethod
    def _at_home(cls, value: Path) -> Path:
        return value.expanduser()

    @field_validator("adapter")
    @classmethod
    def _none(cls, value: str | None) -> str | None:
        return None if value == "none" else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, InitSettingsSource(settings_cls, _from_file())


def _config_file() -> Path | None:
    named = os.environ.get("LEUCIPPUS_CONFIG")
    if named:
        path = Path(named)
        if not path.is_file():
            raise ConfigError(
                f"LEUCIPPUS_CONFIG names {named!r}, which is not a file.", next_step="Correct or unset it."
            )
        return path
    candidates = (Path("leucippus.toml"), user_config_path("leucippus") / "config.toml")
    return next((path for path in candidates if path.is_file()), None)


def _from_file() -> dict[str, Any]:
    path = _config_file()
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"Cannot read {path}: {error}", expected="a TOML file") from error


@cache
def load_settings() -> Settings:
    """The settings in force.

    Raises
    ------
    ConfigError : a setting is unknown or has a value of the wrong kind.
    """
    known = {"config", *Settings.model_fields}
    for name in os.environ:
        if name.startswith("LEUCIPPUS_") and name.removeprefix("LEUCIPPUS_").split("__")[0].lower() not in known:
            raise ConfigError(
                f"{name} names no setting.",
                expected="LEUCIPPUS_MODEL, LEUCIPPUS_ENGINE__REPLICAS, …: deploy/leucippus.toml has them all",
                next_step="Correct or unset it.",
            )
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        # A setting we do not know may be a mistyped key: its value is nobody's to see.
        secret = first["type"] == "extra_forbidden" or "key" in where
        value = "a value that is not shown" if secret else f"the value {first['input']!r}"
        raise ConfigError(
            f"Setting {where!r} has {value}: {first['msg']}.",
            next_step="Correct it in leucippus.toml or in the LEUCIPPUS_* environment variables.",
        ) from error
    except SettingsError as error:
        raise ConfigError(
            f"Cannot read the settings: {error}.",
            expected="JSON for a group of settings, or one value: LEUCIPPUS_ENGINE__MAX_NUM_SEQS=32",
            next_step="Correct it in the LEUCIPPUS_* environment variables.",
        ) from error

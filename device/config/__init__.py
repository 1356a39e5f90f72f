"""One TOML file for everything that the command line of ``watch`` can say."""

from corrosion_edge.device.config.options import Configurable, config_options, show_config

__all__ = ["Configurable", "config_options", "show_config"]

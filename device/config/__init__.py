"""One TOML file for everything that the command line of ``watch`` can say."""

from corrosion_edge.device.config.options import config_options, show_config

__all__ = ["config_options", "show_config"]

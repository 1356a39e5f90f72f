"""Reading a TFLite network without a runtime, and telling whether it is safe to give it to one."""

__all__: list[str] = []

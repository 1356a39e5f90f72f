"""Better than the plain conversion, rung by rung: what int8 loses is looked for and mended."""

__all__: list[str] = []

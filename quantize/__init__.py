"""The quantizer: from a trained run to a full-integer model file whose drift was measured."""

__all__: list[str] = []

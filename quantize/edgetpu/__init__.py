"""What the Edge TPU compiler would do with a model, told without the compiler."""

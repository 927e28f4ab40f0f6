"""Tables beside the touchpoints whose rows are of channels: costs of them, experiments on them."""

"""What training needs to know beyond the examples."""

from dataclasses import dataclass

from td_mta.config.attribution import Config


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """The size of the network, and how long and on what it is trained."""

    network: str  # the rung to be used, or auto
    width: int  # units of each LSTM layer in each direction
    dropout: float  # share of units dropped in training
    epochs: int
    batch_size: int  # rows of a training step
    seed: int

    @classmethod
    def of(cls, config: Config) -> "TrainingSettings":
        """What a run's parameters say of training."""
        return cls(
            network=config.network,
            width=config.model_width,
            dropout=config.dropout_rate,
            epochs=config.train_epochs,
            batch_size=config.train_batch_size,
            seed=config.seed,
        )

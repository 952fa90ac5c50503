"""The usual loop: what a reader would write after PyTorch's own tutorials.

A torchvision data set with transforms, a DataLoader, a model in its default layout, SGD, one run
after another, with torch's own choice of threads. Nothing in here is slowed down on purpose.
"""

from __future__ import annotations

import time

import torch
import torchvision
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms

from reglab.config import RunConfig
from reglab.data.dataset import Dataset
from reglab.training.networks import build_model


class _Cifar(torchvision.datasets.CIFAR10):
    """torchvision's data set, item by item its own code, over images that are here already."""

    def __init__(self, images: torch.Tensor, labels: torch.Tensor, transform) -> None:
        torchvision.datasets.VisionDataset.__init__(self, root="", transform=transform)
        self.data, self.targets = images.permute(0, 2, 3, 1).numpy(), labels.tolist()


class _Mnist(torchvision.datasets.MNIST):
    """As `_Cifar`, for images of one channel."""

    def __init__(self, images: torch.Tensor, labels: torch.Tensor, transform) -> None:
        torchvision.datasets.VisionDataset.__init__(self, root="", transform=transform)
        self.data, self.targets = images[:, 0], labels


def loader(data: Dataset, batch_size: int, workers: int) -> DataLoader:
    """Return the training images as a tutorial loads them."""
    normalize = transforms.Normalize(data.mean.tolist(), data.std.tolist())
    transform = transforms.Compose([transforms.ToTensor(), normalize])
    kind = _Mnist if data.in_shape[0] == 1 else _Cifar
    return DataLoader(
        kind(data.x_train, data.y_train, transform),
        batch_size=batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=torch.cuda.is_available(),
    )


class UsualLoop:
    """The loop, kept warm between measurements.

    Args:
        config: shape of the network, learning rate, batch size, device.
        data: its data set.
        workers: of the DataLoader.
    """

    def __init__(self, config: RunConfig, data: Dataset, workers: int) -> None:
        self.device = torch.device(config.device)
        self.model = build_model(config, data).to(self.device)
        self.loader = loader(data, config.batch_size, workers)
        self.batches = iter(())
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), lr=config.lr, momentum=config.momentum
        )

    def images_per_second(self, seconds: float) -> float:
        """Train for at least ``seconds`` (one batch at least) and return images per second."""
        self.model.train()
        images, started = 0, time.perf_counter()
        while not images or time.perf_counter() - started < seconds:
            inputs, labels = self._next()
            inputs = inputs.to(self.device, non_blocking=True)
            labels = labels.to(self.device, non_blocking=True)
            self.optimizer.zero_grad()
            loss = self.criterion(self.model(inputs), labels)
            loss.backward()
            self.optimizer.step()
            images += len(labels)
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return images / (time.perf_counter() - started)

    def _next(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the next batch; a measurement goes on in the epoch where the last one ended."""
        batch = next(self.batches, None)
        if batch is None:
            self.batches = iter(self.loader)
            batch = next(self.batches)
        return batch

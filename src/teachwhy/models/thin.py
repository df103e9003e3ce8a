"""Linear layers for thin batches on a CPU.

MKL computes ``x @ W.T`` for 2 to 48 rows two to three times slower than ``(W @ x.T).T``, which is the same sum, and the
second form gives each row the same bits whatever the number of rows. Measured in ``docs/benchmarks.md``.
"""

from types import MethodType

import torch
from torch import Tensor, nn
from torch.nn import functional

_MOST_ROWS = 48


def _forward(self: nn.Linear, x: Tensor) -> Tensor:
    rows = x.numel() // x.shape[-1]
    if not 1 < rows <= _MOST_ROWS:
        return functional.linear(x, self.weight, self.bias)
    out = (self.weight @ x.reshape(rows, -1).t()).t()
    out = out if self.bias is None else out + self.bias
    return out.view(*x.shape[:-1], -1)


def thin_linears(model: nn.Module) -> None:
    """Give a float32 CPU model's linear layers the form that is fast for few rows (where torch computes with MKL)."""
    if not torch.backends.mkl.is_available():  # type: ignore[no-untyped-call]
        return
    for module in model.modules():
        if type(module) is nn.Linear and module.weight.dtype == torch.float32 and not module.weight.is_cuda:
            setattr(module, "forward", MethodType(_forward, module))  # noqa: B010 - mypy forbids the assignment

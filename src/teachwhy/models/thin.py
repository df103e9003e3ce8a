"""Linear layers for thin batches on a CPU.

With two threads MKL computes ``x @ W.T`` for 8 to 48 rows about two times slower than ``(W @ x.T).T``, the same sum;
and the second form gave each row the same bits for any number of rows (2 AVX-512 cores, MKL 2024.2).
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

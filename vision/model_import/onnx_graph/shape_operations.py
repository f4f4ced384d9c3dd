"""Operations that move numbers about: joining, reshaping, padding, cutting."""

from __future__ import annotations

import numpy as np
from keras import layers
from onnx import NodeProto

from vision.model_import.onnx_graph.builder import TURNED_AXES, Builder, Value, attributes_of, unsupported


def concatenate(b: Builder, node: NodeProto) -> None:
    values = [b.value(node, index) for index in range(len(node.input))]
    axis = attributes_of(node)["axis"] % len(values[0].shape)
    turned = any(one.turned for one in values)
    tensors = [b.turned(one, node) if turned else one.tensor for one in values]
    axis = TURNED_AXES[axis] if turned else axis
    y = layers.Concatenate(axis=axis, name=b.name(node))(tensors)
    b.keep(node, Value(y, turned, all(one.positive for one in values)))


def _reshape_to(b: Builder, node: NodeProto, value: Value, shape: list[int]) -> None:
    """A new shape without its batch."""
    is_point = len(value.shape) == 4 and tuple(value.shape[2:]) == (1, 1)
    # The channels of a single point are in the same order either way.
    tensor = value.tensor if is_point else b.plain(value, node)
    if is_point and len(shape) == 3 and shape[1:] == [1, 1]:
        b.keep(node, value)
        return
    b.keep(node, Value(layers.Reshape(tuple(shape), name=b.name(node))(tensor), False, value.positive))


def reshape(b: Builder, node: NodeProto) -> None:
    value, shape = b.value(node), b.required_constant(node, 1)
    target = [int(value.shape[n]) if side == 0 and n else int(side) for n, side in enumerate(shape)]
    if target[0] not in (1, -1, 0) or (target[0] == -1 and -1 in target[1:]):
        raise unsupported(f"Reshape to {target}, which mixes images")
    _reshape_to(b, node, value, target[1:])


def flatten(b: Builder, node: NodeProto) -> None:
    if attributes_of(node).get("axis", 1) != 1:
        raise unsupported("Flatten over images")
    value = b.value(node)
    _reshape_to(b, node, value, [int(np.prod(value.shape[1:]))])


def squeeze(b: Builder, node: NodeProto) -> None:
    value = b.value(node)
    axes = attributes_of(node).get("axes")
    if axes is None:
        found = b.constant(node, 1)
        axes = [n for n, side in enumerate(value.shape) if n and side == 1] if found is None else found.tolist()
    dropped = {axis % len(value.shape) for axis in axes}
    if 0 in dropped:
        raise unsupported("Squeeze of the batch")
    _reshape_to(b, node, value, [int(side) for n, side in enumerate(value.shape) if n and n not in dropped])


def unsqueeze(b: Builder, node: NodeProto) -> None:
    value = b.value(node)
    axes = attributes_of(node).get("axes")
    places = b.required_constant(node, 1) if axes is None else np.array(axes)
    shape = list(value.shape)
    for axis in sorted(place % (len(shape) + len(places)) for place in places.tolist()):
        shape.insert(axis, 1)
    _reshape_to(b, node, value, [int(side) for side in shape[1:]])


def transpose(b: Builder, node: NodeProto) -> None:
    value = b.value(node)
    order = list(attributes_of(node)["perm"])
    if value.turned and order == [0, 2, 3, 1]:
        b.keep(node, Value(value.tensor, False, value.positive))
    elif not value.turned and order == [0, 3, 1, 2]:
        b.keep(node, Value(value.tensor, True, value.positive))
    elif order[0] == 0:
        y = layers.Permute(tuple(order[1:]), name=b.name(node))(b.plain(value, node))
        b.keep(node, Value(y, False, value.positive))
    else:
        raise unsupported("Transpose of the batch")


def pad(b: Builder, node: NodeProto) -> None:
    given, value = attributes_of(node), b.value(node)
    pads = given.get("pads")
    if pads is None:
        pads = b.required_constant(node, 1).tolist()
    filling = b.constant(node, 2) if len(node.input) > 2 else None
    rank = len(value.shape)
    turned = value.turned
    before, after = pads[:rank], pads[rank:]
    rows, columns = (2, 3) if turned else (1, 2)
    others = [n for n in range(rank) if n not in (rows, columns)]
    is_zero = filling is None or float(filling.reshape(-1)[0]) == 0.0
    if (
        given.get("mode", b"constant") != b"constant"
        or not is_zero
        or rank != 4
        or any(before[n] or after[n] for n in others)
    ):
        raise unsupported("Pad other than zeros around an image")
    y = layers.ZeroPadding2D(((before[rows], after[rows]), (before[columns], after[columns])), name=b.name(node))(
        value.tensor
    )
    b.keep(node, Value(y, turned, value.positive))


def crop(b: Builder, node: NodeProto) -> None:
    """An image without some of its border."""
    value = b.value(node)
    starts, ends, axes, steps = (b.constant(node, index) for index in range(1, 5))
    rows, columns = (2, 3) if value.turned else (1, 2)
    border = {rows: (0, 0), columns: (0, 0)}
    if starts is None or ends is None or len(value.shape) != 4 or (steps is not None and set(steps.tolist()) != {1}):
        raise unsupported("Slice with steps")
    for place, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        axis = place if axes is None else int(axes[place]) % 4
        if axis == 0 and start == 0 and end >= 1:
            continue
        side = int(value.shape[axis])
        start, end = (max(0, min(side, one + side if one < 0 else one)) for one in (start, end))
        if axis in border:
            border[axis] = (start, side - end)
        elif (start, end) != (0, side):
            raise unsupported("Slice of channels")
    y = layers.Cropping2D((border[rows], border[columns]), name=b.name(node))(value.tensor)
    b.keep(node, Value(y, value.turned, value.positive))


def same(b: Builder, node: NodeProto) -> None:
    if b.is_constant(node, 0):
        b.keep_constant(node, b.required_constant(node, 0))
    else:
        b.keep(node, b.value(node))

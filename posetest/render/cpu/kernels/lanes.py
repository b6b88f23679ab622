"""Rows of eight samples at once, and boxes of four coordinates: what the visibility pass says in vector instructions.

Spans of small faces are a few samples long and end where no branch predictor can tell. Testing eight samples against
all three edges and the depth, and writing all eight back, costs less than one wrong guess. A value of four floats is a
plain tuple to numba, as in vector.py.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from posetest.render.cpu.kernels.vector import _pack, _unpack

#: Pixels that are tested at once. Buffers have room for as many past the last pixel: all are written back.
LANES = 8

_FLOAT, _INT = ir.FloatType(), ir.IntType(32)


def _splat(builder, scalar):
    vector = ir.Constant(ir.VectorType(scalar.type, LANES), ir.Undefined)
    for lane in range(LANES):
        vector = builder.insert_element(vector, scalar, ir.Constant(_INT, lane))
    return vector


def _place(context, builder, array_type, array, index, lane_type):
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), ir.VectorType(lane_type, LANES).as_pointer())


def _ramp(builder, start, step):
    """start, start + step, start + 2 step, ..."""
    number = ir.Constant(ir.VectorType(_FLOAT, LANES), [float(lane) for lane in range(LANES)])
    product = builder.fmul(number, _splat(builder, step), flags=["contract"])
    return builder.fadd(product, _splat(builder, start), flags=["contract"])


def _draw_row(builder, places, edges, depth, number):
    """Writes ``number`` where all edge functions are positive and the depth is nearer than what is there."""
    inverse_place, face_place = places
    zero = ir.Constant(number.type, [0] * LANES)
    signs = zero
    for edge in edges:
        signs = builder.or_(signs, builder.bitcast(edge, signs.type))
    # inverse depths are not negative, and such floats are ordered as their bits are
    new = builder.select(builder.icmp_signed(">=", signs, zero), builder.bitcast(depth, zero.type), zero)
    old, old_face = builder.load(inverse_place, align=4), builder.load(face_place, align=4)
    is_nearer = builder.icmp_signed(">", new, old)
    builder.store(builder.select(is_nearer, new, old), inverse_place, align=4)
    builder.store(builder.select(is_nearer, number, old_face), face_place, align=4)


@intrinsic
def draw_lanes(typing_context, inverse, face, place, room, depth, depth_step, number):
    """Writes face ``number`` to those of eight pixels from ``place`` on where it is nearest.

    Arguments: the buffers and a place in them (uint64); how many pixels follow the first one (float32, none is drawn
    if negative); the inverse depth at the first and what a pixel to the right adds.
    """

    def codegen(context, builder, signature, arguments):
        inverse_value, face_value, at, room_value, w, w_step, f = arguments
        places = (
            _place(context, builder, signature.args[0], inverse_value, at, _INT),
            _place(context, builder, signature.args[1], face_value, at, _INT),
        )
        left = _ramp(builder, room_value, ir.Constant(_FLOAT, -1.0))
        _draw_row(builder, places, [left], _ramp(builder, w, w_step), _splat(builder, f))
        return context.get_dummy_value()

    arguments = (inverse, face, types.uint64, types.float32, types.float32, types.float32, types.int32)
    return types.void(*arguments), codegen


@intrinsic
def draw_box(typing_context, inverse, face, place, stride, rows, starts, steps, row_steps, number):
    """Writes face ``number`` to those pixels of a box, up to eight wide, where it lies inside and nearest.

    Arguments: the buffers, the place of the first pixel and from row to row (uint64); the number of rows; three edge
    functions, negative outside, and the inverse depth at the first pixel, what a pixel to the right adds to them, and
    what one down adds.
    """

    def codegen(context, builder, signature, arguments):
        inverse_value, face_value, at, stride_value, rows_value, starts_value, steps_value, row_steps_value, f = (
            arguments
        )
        values = []
        for k in range(4):
            start, step = builder.extract_value(starts_value, k), builder.extract_value(steps_value, k)
            values.append(_ramp(builder, start, step))
        downs = [_splat(builder, builder.extract_value(row_steps_value, k)) for k in range(4)]
        number_vector = _splat(builder, f)
        before = builder.block
        loop, after = builder.append_basic_block("rows"), builder.append_basic_block("rows_end")
        one = ir.Constant(rows_value.type, 1)
        builder.cbranch(builder.icmp_signed(">=", rows_value, one), loop, after)
        builder.position_at_end(loop)
        here, left = builder.phi(at.type), builder.phi(rows_value.type)
        here.add_incoming(at, before)
        left.add_incoming(rows_value, before)
        current = []
        for value in values:
            phi = builder.phi(value.type)
            phi.add_incoming(value, before)
            current.append(phi)
        places = (
            _place(context, builder, signature.args[0], inverse_value, here, _INT),
            _place(context, builder, signature.args[1], face_value, here, _INT),
        )
        _draw_row(builder, places, current[:3], current[3], number_vector)
        here.add_incoming(builder.add(here, stride_value), loop)
        left_next = builder.sub(left, one)
        left.add_incoming(left_next, loop)
        for phi, down in zip(current, downs, strict=True):
            phi.add_incoming(builder.fadd(phi, down), loop)
        builder.cbranch(builder.icmp_signed(">=", left_next, one), loop, after)
        builder.position_at_end(after)
        return context.get_dummy_value()

    four = types.UniTuple(types.float32, 4)
    arguments = (inverse, face, types.uint64, types.uint64, types.int32, four, four, four, types.int32)
    return types.void(*arguments), codegen


@intrinsic(prefer_literal=True)
def store_range(typing_context, array, index, first, count):
    """Writes ``count`` (a constant) integers from ``first`` upwards to an int32 array, from ``index`` on."""

    def codegen(context, builder, signature, arguments):
        array_value, index_value, first_value, _ = arguments
        lanes = ir.VectorType(_INT, count.literal_value)
        start = builder.insert_element(ir.Constant(lanes, ir.Undefined), first_value, ir.Constant(_INT, 0))
        zeros = ir.Constant(lanes, [0] * lanes.count)
        values = builder.add(builder.shuffle_vector(start, start, zeros), ir.Constant(lanes, list(range(lanes.count))))
        data = context.make_array(signature.args[0])(context, builder, array_value).data
        place = builder.bitcast(builder.gep(data, [index_value]), lanes.as_pointer())
        builder.store(values, place, align=4)
        return context.get_dummy_value()

    return types.void(array, types.uint64, types.int32, count), codegen


def _select_by(operator):
    def codegen(context, builder, signature, arguments):
        first, second = _pack(builder, arguments[0]), _pack(builder, arguments[1])
        kept = builder.select(builder.fcmp_ordered(operator, first, second), first, second)
        return _unpack(context, builder, kept)

    return codegen


@intrinsic
def lower(typing_context, first, second):
    """The lesser value, lane by lane."""
    return first(first, second), _select_by("<")


@intrinsic
def higher(typing_context, first, second):
    """The greater value, lane by lane."""
    return first(first, second), _select_by(">")


@intrinsic
def transpose(typing_context, a, b, c, d):
    """Four values of four floats, rows for columns."""

    def codegen(context, builder, signature, arguments):
        a, b, c, d = (_pack(builder, argument) for argument in arguments)

        def pick(first, second, *lanes):
            return builder.shuffle_vector(first, second, ir.Constant(ir.VectorType(_INT, 4), list(lanes)))

        ab, cd = pick(a, b, 0, 4, 1, 5), pick(c, d, 0, 4, 1, 5)
        ab_high, cd_high = pick(a, b, 2, 6, 3, 7), pick(c, d, 2, 6, 3, 7)
        columns = [pick(ab, cd, 0, 1, 4, 5), pick(ab, cd, 2, 3, 6, 7)]
        columns += [pick(ab_high, cd_high, 0, 1, 4, 5), pick(ab_high, cd_high, 2, 3, 6, 7)]
        rows = [_unpack(context, builder, column) for column in columns]
        return context.make_tuple(builder, signature.return_type, rows)

    return types.UniTuple(a, 4)(a, b, c, d), codegen

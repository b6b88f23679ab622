"""Four or eight floats in one register: what numba's vectoriser cannot find where loads hang on computed indices.

A value is a plain tuple of float32 to numba. Each operation packs its tuples into LLVM vectors and unpacks the result;
between two operations the optimiser drops both, so that chains of them run in vector registers.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

_FLOAT = ir.FloatType()
_INDEX = ir.IntType(32)


def _lane(number):
    return ir.Constant(_INDEX, number)


def _pack(builder, packed):
    count = len(packed.type.elements) if isinstance(packed.type, ir.LiteralStructType) else packed.type.count
    vector = ir.Constant(ir.VectorType(_FLOAT, count), ir.Undefined)
    for lane in range(count):
        vector = builder.insert_element(vector, builder.extract_value(packed, lane), _lane(lane))
    return vector


def _unpack(context, builder, vector):
    count = vector.type.count
    lanes = [builder.extract_element(vector, _lane(lane)) for lane in range(count)]
    return context.make_tuple(builder, types.UniTuple(types.float32, count), lanes)


def _splat(builder, scalar, count):
    vector = ir.Constant(ir.VectorType(_FLOAT, count), ir.Undefined)
    for lane in range(count):
        vector = builder.insert_element(vector, scalar, _lane(lane))
    return vector


def _pointer(context, builder, array_type, array, index, count):
    data = context.make_array(array_type)(context, builder, array).data
    lane_type = context.get_value_type(array_type.dtype)
    return builder.bitcast(builder.gep(data, [index]), ir.VectorType(lane_type, count).as_pointer())


def _load(array, count):
    def codegen(context, builder, signature, arguments):
        dtype = signature.args[0].dtype
        pointer = _pointer(context, builder, signature.args[0], *arguments, count)
        vector = builder.load(pointer, align=dtype.bitwidth // 8)
        if dtype == types.uint16:
            vector = builder.sitofp(builder.zext(vector, ir.VectorType(_INDEX, count)), ir.VectorType(_FLOAT, count))
        return _unpack(context, builder, vector)

    return types.UniTuple(types.float32, count)(array, types.uint64), codegen


@intrinsic
def load4(typing_context, array, index):
    """The four values of a flat float32 or uint16 array that start at ``index``, as float32."""
    return _load(array, 4)


@intrinsic
def load8(typing_context, array, index):
    """The eight values of a flat float32 or uint16 array that start at ``index``, as float32."""
    return _load(array, 8)


@intrinsic
def prefetch(typing_context, array, index):
    """Asks for the cache line that holds element ``index`` of a flat array, before it is needed."""

    def codegen(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        address = builder.bitcast(builder.gep(data, [arguments[1]]), ir.IntType(8).as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [address.type, _INDEX, _INDEX, _INDEX])
        function = builder.module.declare_intrinsic("llvm.prefetch", [address.type], kind)
        builder.call(function, [address, _lane(0), _lane(3), _lane(1)])  # to read, in all caches, data
        return context.get_dummy_value()

    return types.void(array, types.uint64), codegen


@intrinsic
def store(typing_context, array, index, values):
    """Writes the values to a flat float32 array from ``index`` on."""

    def codegen(context, builder, signature, arguments):
        array_value, index_value, packed = arguments
        vector = _pack(builder, packed)
        pointer = _pointer(context, builder, signature.args[0], array_value, index_value, vector.type.count)
        builder.store(vector, pointer, align=4)
        return context.get_dummy_value()

    return types.void(array, types.uint64, values), codegen


@intrinsic
def mix(typing_context, start, end, part):
    """start + part * (end - start), lane by lane, with a scalar ``part``."""

    def codegen(context, builder, signature, arguments):
        first, second = _pack(builder, arguments[0]), _pack(builder, arguments[1])
        part_vector = _splat(builder, arguments[2], first.type.count)
        span = builder.fmul(builder.fsub(second, first), part_vector, flags=["contract"])
        return _unpack(context, builder, builder.fadd(first, span, flags=["contract"]))

    return start(start, end, types.float32), codegen


@intrinsic
def madd(typing_context, values, factor, addend):
    """values * factor + addend, lane by lane, with a scalar ``factor``."""

    def codegen(context, builder, signature, arguments):
        vector = _pack(builder, arguments[0])
        product = builder.fmul(vector, _splat(builder, arguments[1], vector.type.count), flags=["contract"])
        return _unpack(context, builder, builder.fadd(product, _pack(builder, arguments[2]), flags=["contract"]))

    return values(values, types.float32, addend), codegen

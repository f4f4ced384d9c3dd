"""Which operations of TensorFlow a SavedModel may have: a list of what is taken, not of what is not."""

from __future__ import annotations

from vision.training.errors import UploadError

# Arithmetic on tensors, without a state, files, texts or chance: what a network that answers may be made of.
COMPUTING = frozenset({
    "Abs", "Acos", "Add", "AddN", "AddV2", "All", "Any", "ArgMax", "ArgMin", "Asin", "Atan", "Atan2", "AvgPool",
    "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "BatchNormWithGlobalNormalization", "BatchToSpaceND",
    "BiasAdd", "BroadcastArgs", "BroadcastTo", "Cast", "Ceil", "ClipByValue", "Concat", "ConcatV2", "Const",
    "Conv2D", "Conv2DBackpropInput", "Cos", "CropAndResize", "Cumsum", "DepthToSpace", "DepthwiseConv2dNative",
    "Div", "DivNoNan", "Einsum", "Elu", "EnsureShape", "Equal", "Erf", "Erfc", "Exp", "ExpandDims", "Expm1", "Fill",
    "Floor", "FloorDiv", "FloorMod", "FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3", "Gather", "GatherNd",
    "GatherV2", "Greater", "GreaterEqual", "Identity", "IdentityN", "L2Loss", "LRN", "LeakyRelu", "Less",
    "LessEqual", "Log", "Log1p", "LogSoftmax", "LogicalAnd", "LogicalNot", "LogicalOr", "MatMul", "Max", "MaxPool",
    "MaxPoolV2", "Maximum", "Mean", "Min", "Minimum", "MirrorPad", "Mul", "Neg", "NotEqual", "OneHot", "OnesLike",
    "Pack", "Pad", "PadV2", "Pow", "PreventGradient", "Prod", "Range", "Rank", "RealDiv", "Reciprocal", "Relu",
    "Relu6", "Reshape", "ResizeArea", "ResizeBicubic", "ResizeBilinear", "ResizeNearestNeighbor", "ReverseV2",
    "Rint", "Round", "Rsqrt", "Select", "SelectV2", "Selu", "Shape", "ShapeN", "Sigmoid", "Sign", "Sin", "Size",
    "Slice", "Snapshot", "Softmax", "Softplus", "Softsign", "SpaceToBatchND", "SpaceToDepth", "Split", "SplitV",
    "Sqrt", "Square", "SquaredDifference", "Squeeze", "StopGradient", "StridedSlice", "Sub", "Sum", "Tan", "Tanh",
    "Tile", "TopK", "TopKV2", "Transpose", "TruncateDiv", "Unpack", "Where", "Xdivy", "Xlogy", "ZerosLike",
})  # fmt: skip
# Beside them in functions that nobody calls here: training, augmentation, and how the file puts its variables away.
BESIDE = frozenset({
    "AddSign", "ApproximateEqual", "Assert", "AssignAddVariableOp", "AssignSubVariableOp", "AssignVariableOp",
    "AvgPoolGrad", "BiasAddGrad", "Bitcast", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BroadcastGradientArgs",
    "CheckNumerics", "Conv2DBackpropFilter", "Cosh", "DepthwiseConv2dNativeBackpropFilter",
    "DepthwiseConv2dNativeBackpropInput", "DisableCopyOnRead", "DynamicStitch", "EluGrad", "EmptyTensorList",
    "FusedBatchNormGradV3", "If", "ImageProjectiveTransformV2", "ImageProjectiveTransformV3", "InvertPermutation",
    "IsFinite", "IsInf", "IsNan", "LeakyReluGrad", "LinSpace", "MaxPoolGrad", "MergeV2Checkpoints", "MirrorPadGrad",
    "Multinomial", "NoOp", "PartitionedCall", "Placeholder", "PlaceholderWithDefault", "RandomStandardNormal",
    "RandomUniform", "RandomUniformInt", "ReadVariableOp", "Relu6Grad", "ReluGrad", "ResizeBilinearGrad",
    "ResizeNearestNeighborGrad", "ResourceApplyAdaMax", "ResourceApplyAdagradV2", "ResourceApplyAdam",
    "ResourceApplyFtrlV2", "ResourceApplyGradientDescent", "ResourceApplyKerasMomentum", "ResourceApplyMomentum",
    "ResourceApplyRMSProp", "ResourceGather", "ResourceScatterAdd", "RestoreV2", "RngReadAndSkip", "RngSkip",
    "RsqrtGrad", "SaveV2", "ScatterNd", "SeluGrad", "ShardedFilename", "SigmoidGrad", "Sinh",
    "SoftmaxCrossEntropyWithLogits", "SoftplusGrad", "SoftsignGrad", "SparseSoftmaxCrossEntropyWithLogits",
    "SqrtGrad", "StatefulPartitionedCall", "StatefulStandardNormalV2", "StatefulTruncatedNormal", "StatefulUniform",
    "StatefulUniformFullInt", "StatelessIf", "StatelessRandomGetAlg", "StatelessRandomGetKeyCounter",
    "StatelessRandomGetKeyCounterAlg", "StatelessRandomNormalV2", "StatelessRandomUniform",
    "StatelessRandomUniformFullIntV2", "StatelessRandomUniformIntV2", "StatelessRandomUniformV2",
    "StatelessTruncatedNormalV2", "StatelessWhile", "StaticRegexFullMatch", "StridedSliceGrad", "StringJoin",
    "TanhGrad", "TensorListFromTensor", "TensorListGetItem", "TensorListLength", "TensorListReserve",
    "TensorListSetItem", "TensorListStack", "TensorScatterUpdate", "TruncatedNormal", "UnsortedSegmentSum",
    "VarHandleOp", "VarIsInitializedOp", "While",
})  # fmt: skip
CALLS = ("PartitionedCall", "StatefulPartitionedCall")


def check_operation(name: str) -> None:
    """For everything in the file. Raises `UploadError`: `unsafe_file`."""
    if name not in COMPUTING and name not in BESIDE:
        raise UploadError(
            "unsafe_file",
            f"The SavedModel has the operation {name[:80]!r}, which is not taken: only arithmetic on images and what "
            "Keras trains with is. Export it for inference (model.export), or send the model as .keras or ONNX.",
        )


def check_computing(name: str) -> None:
    """For what is computed here. Raises `UploadError`: `unsupported_operation`."""
    if name not in COMPUTING:
        raise UploadError(
            "unsupported_operation",
            f"The SavedModel's signature has the operation {name[:80]!r}, which is not taken. Export the model for "
            "inference (model.export), or send it as .keras.",
        )

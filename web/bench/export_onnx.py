"""The max-min model of a histomask checkpoint as ONNX, for ONNX Runtime in the benchmark of the browser.

    web/bench/run.sh                                      # installs what it needs into web-bench and calls it
    PY=~/.cache/histomask-target/web-bench/bin/python
    $PY web/bench/export_onnx.py --size 432 432 OUT.onnx
    $PY web/bench/export_onnx.py --check HISTOMASK --image IMAGE.png...

Input `image` [1, 3, H, W], normalised; outputs `probabilities` [1, C] of the foreground, `background` [1, C] and
`mask` [1, 1, H, W]: all that `MaxMin::forward` computes. Made as ONNX Runtime likes it: sizes are fixed, so every
padding is a number and nothing is left to compute from shapes; batch norms are folded into the convolutions, as
PyTorch's exporter does; ReLU6 is a Clip with constant bounds, which the runtime fuses. `--top` chooses how the highest
activations are found: `topk` is ONNX's operator, `rank` says the same in operators that every back end has.

`--check` predicts images with the given histomask binary and compares; exit code 1 if they differ. Take PNG: decoders of
JPEG differ by a level or two.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors import safe_open

ASSET = Path(__file__).parents[2] / "native/assets/glas.safetensors"
# EfficientNet-Lite0's blocks: stride of each, in order
STRIDES = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1]
EPSILON = 1e-3


class Graph:
    """Nodes and constants, each under a name of its own."""

    def __init__(self):
        self.nodes, self.constants, self.known = [], [], {}

    def constant(self, values, dtype=np.float32):
        values = np.asarray(values, dtype)
        key = (values.tobytes(), values.dtype.str, values.shape)
        if key not in self.known:
            self.known[key] = f"constant{len(self.known)}"
            self.constants.append(numpy_helper.from_array(values, self.known[key]))
        return self.known[key]

    def add(self, operator, *inputs, outputs=1, name=None, **attributes):
        names = [name] if name else [f"{operator.lower()}{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, name=names[0], **attributes))
        return names[0] if outputs == 1 else names


class Exporter:
    def __init__(self, weights, card, size, top):
        self.weights, self.card, self.top = weights, card, top
        self.graph, self.size, self.classes = Graph(), size, len(card["classes"])

    def same(self, size, kernel, stride):
        """TensorFlow's SAME padding: the output's size and ONNX's [top, left, bottom, right]."""
        out = [-(-side // stride) for side in size]
        total = [max((o - 1) * stride + kernel - side, 0) for o, side in zip(out, size)]
        return out, [t // 2 for t in total] + [t - t // 2 for t in total]

    def conv(self, x, size, conv, bn, stride=1, act=True):
        kernel = self.weights[f"backbone.{conv}.weight"].astype(np.float64)
        of = lambda part: self.weights[f"backbone.{bn}.{part}"].astype(np.float64)
        scale = of("weight") / np.sqrt(of("running_var") + EPSILON)
        bias = of("bias") - of("running_mean") * scale
        size, pads = self.same(size, kernel.shape[2], stride)
        y = self.graph.add(
            "Conv", x, self.graph.constant(kernel * scale[:, None, None, None]), self.graph.constant(bias),
            kernel_shape=kernel.shape[2:], strides=[stride] * 2, pads=pads,
            group=kernel.shape[0] if "depthwise" in conv else 1,
        )
        if act:
            y = self.graph.add("Clip", y, self.graph.constant(0.0), self.graph.constant(6.0))
        return y, size

    def backbone(self, x, size):
        x, size = self.conv(x, size, "conv_stem", "bn0", 2)
        for i, stride in enumerate(STRIDES):
            block = f"blocks.{i}"
            y = x
            if f"backbone.{block}.expand_conv.weight" in self.weights:
                y, _ = self.conv(y, size, f"{block}.expand_conv", f"{block}.bn0")
            y, after = self.conv(y, size, f"{block}.depthwise_conv", f"{block}.bn1", stride)
            y, _ = self.conv(y, after, f"{block}.project_conv", f"{block}.bn2", act=False)
            into = self.weights[f"backbone.{block}.project_conv.weight"].shape[0]
            first = self.weights.get(f"backbone.{block}.expand_conv.weight")
            channels = first.shape[1] if first is not None else None
            x, size = (self.graph.add("Add", y, x) if stride == 1 and into == channels else y), after
        return self.conv(x, size, "conv_head", "bn1")

    def class_maps(self, features, size, head, batch):
        """The 1×1 head and the mean over each class's modality maps: [batch, C, h * w]."""
        kernel, bias = (self.graph.constant(self.weights[f"{head}.conv.{part}"]) for part in ("weight", "bias"))
        maps = self.graph.add("Conv", features, kernel, bias, kernel_shape=[1, 1])
        modalities = self.card["model"]["pooling"]["modalities"]
        shape = self.graph.constant([batch, self.classes, modalities, size[0] * size[1]], np.int64)
        maps = self.graph.add("Reshape", maps, shape)
        return self.graph.add("ReduceMean", maps, self.graph.constant([2], np.int64), keepdims=0)

    def scores(self, maps, positions, batch):
        """Mean of the highest activations: [batch, C]."""
        add, constant = self.graph.add, self.graph.constant
        share = self.card["model"]["pooling"]["kmax"]
        k = max(round(share * positions), 1)
        last = constant([2], np.int64)
        if self.top == "topk":
            highest, _ = add("TopK", maps, constant([k], np.int64), outputs=2, axis=2)
            return add("ReduceMean", highest, last, keepdims=0)
        # the k-th highest value is the highest with at least k values not below it; values that tie with it fill up
        column = add("Reshape", maps, constant([batch, self.classes, positions, 1], np.int64))
        row = add("Reshape", maps, constant([batch, self.classes, 1, positions], np.int64))
        not_below = add("Cast", add("GreaterOrEqual", row, column), to=TensorProto.FLOAT)
        rank = add("ReduceSum", not_below, constant([3], np.int64), keepdims=0)
        enough = add("GreaterOrEqual", rank, constant(float(k)))
        kth = add("ReduceMax", add("Where", enough, maps, constant(-1e30)), last, keepdims=1)
        above = add("Relu", add("Sub", maps, kth))
        sum_above = add("ReduceSum", above, last, keepdims=0)
        kth = add("Reshape", kth, constant([batch, self.classes], np.int64))
        return add("Add", add("Mul", sum_above, constant(1.0 / k)), kth)

    def resize(self, x, shape):
        corners = "align_corners" if self.card["model"]["mask"]["align_corners"] else "half_pixel"
        sizes = self.graph.constant(shape, np.int64)
        return self.graph.add("Resize", x, "", "", sizes, mode="linear", coordinate_transformation_mode=corners)

    def build(self):
        add, constant, mask = self.graph.add, self.graph.constant, self.card["model"]["mask"]
        height, width = self.size
        features, small = self.backbone("image", self.size)
        positions = small[0] * small[1]
        maps = self.class_maps(features, small, "localizer", 1)
        posterior = add("Softmax", self.scores(maps, positions, 1), axis=1)
        weighted = add("Mul", maps, add("Reshape", posterior, constant([1, self.classes, 1], np.int64)))
        coarse = add("ReduceSum", weighted, constant([1], np.int64), keepdims=0)
        coarse = add("Reshape", coarse, constant([1, 1, *small], np.int64))

        raw = self.resize(coarse, [1, 1, height, width])
        axes = constant([1, 2, 3], np.int64)
        low, high = add("ReduceMin", raw, axes), add("ReduceMax", raw, axes)
        normalised = add("Div", add("Sub", raw, low), add("Sub", high, low))
        soft = add("Mul", add("Sub", normalised, constant(self.card["sigma"])), constant(mask["omega"]))
        soft = add("Sigmoid", soft, name="mask")

        foreground = add("Mul", "image", soft)
        regions = add("Concat", foreground, add("Sub", "image", foreground), axis=0)
        region = [max(int(side * mask["classifier_scale"]), 1) for side in self.size]
        features, small = self.backbone(self.resize(regions, [2, 3, *region]), region)
        maps = self.class_maps(features, small, "classifier", 2)
        both = add("Softmax", self.scores(maps, small[0] * small[1], 2), axis=1)
        for index, name in enumerate(["probabilities", "background"]):
            add("Slice", both, constant([index], np.int64), constant([index + 1], np.int64), constant([0], np.int64),
                name=name)

        value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        graph = helper.make_graph(
            self.graph.nodes, "histomask", [value("image", [1, 3, height, width])],
            [value("probabilities", [1, self.classes]), value("background", [1, self.classes]),
             value("mask", [1, 1, height, width])],
            self.graph.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], producer_name="histomask")
        model.ir_version = 9
        onnx.checker.check_model(model, full_check=True)
        return model


def read(path):
    with safe_open(path, "np") as file:
        card = json.loads(file.metadata()["histomask"])
        weights = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}
    model = card["model"]
    plain = {
        "method": model.get("method", "max-min") == "max-min",
        "backbone": model["backbone"] == "efficientnet-lite0",
        "pooling": model["pooling"]["formula"] == "released",
        "mask": model["mask"]["source"] == "posterior" and model["mask"]["min_max"] == "per-sample",
        "class_from": model["class_from"] == "foreground",
    }
    if not all(plain.values()):
        sys.exit(f"{path}: this export knows the released max-min model only, not this model's "
                 + ", ".join(name for name, fine in plain.items() if not fine))
    return weights, card


def target(card, width, height):
    """[H, W] of the model's input (`ResizeRule::ShortSide`)."""
    size, short = card["input"]["size"], min(width, height)
    return [height * size // short, width * size // short]


def left_over(model_path):
    """Operators after ONNX Runtime's optimiser."""
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    with tempfile.TemporaryDirectory() as folder:
        options.optimized_model_filepath = f"{folder}/optimised.onnx"
        ort.InferenceSession(model_path, options, providers=["CPUExecutionProvider"])
        nodes = onnx.load(options.optimized_model_filepath).graph.node
    counts = {}
    for node in nodes:
        counts[node.op_type] = counts.get(node.op_type, 0) + 1
    return counts


def resize_aligned(mask, height, width):
    """Bilinear with aligned corners, in float64, as the native program brings a mask to the image's size."""
    for axis, side in enumerate([height, width]):
        at = np.arange(side) * (mask.shape[axis] - 1) / max(side - 1, 1)
        low = np.minimum(at.astype(int), mask.shape[axis] - 2)
        share = (at - low).reshape([-1, 1] if axis == 0 else [1, -1])
        mask = np.take(mask, low, axis) * (1 - share) + np.take(mask, low + 1, axis) * share
    return mask


def check(binary, image_path, model_path, weights, card, top):
    """Largest differences between ONNX Runtime and `histomask predict`, by name, with what is allowed."""
    import onnxruntime as ort
    from PIL import Image
    image = Image.open(image_path).convert("RGB")
    height, width = target(card, image.width, image.height)
    model = Exporter(weights, card, [height, width], top).build()
    pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), np.float32) / 255
    mean, std = (np.float32(card["input"][name]) for name in ("mean", "std"))
    tensor = np.ascontiguousarray(((pixels - mean) / std).transpose(2, 0, 1)[None])
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    probabilities, background, mask = session.run(["probabilities", "background", "mask"], {"image": tensor})

    with tempfile.TemporaryDirectory() as folder:
        command = [binary, "predict", image_path, "--model", str(model_path), "--device", "cpu", "--out", folder]
        subprocess.run(command, check=True, capture_output=True)
        with open(Path(folder) / "predictions.csv", newline="") as file:
            row = next(csv.DictReader(file))
        soft = np.asarray(Image.open(next(Path(folder).glob("*_soft.png")))).astype(np.float64) / 65535
    expected = np.array([float(row[f"p_{name}"]) for name in card["classes"]])
    entropy = float(-(background[0] * np.log(background[0])).sum() / np.log(len(card["classes"])))
    mask = resize_aligned(mask[0, 0].astype(np.float64), image.height, image.width)
    return {
        "probabilities": (float(np.abs(probabilities[0] - expected).max()), 1e-4),
        "background_uncertainty": (abs(entropy - float(row["background_uncertainty"])), 1e-3),
        "mask": (float(np.abs(mask - soft).max()), 1e-3),
    }


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("out", nargs="?", help="file to write")
    args.add_argument("--model", default=ASSET, help="checkpoint (default: the embedded model)")
    args.add_argument("--size", type=int, nargs=2, metavar=("H", "W"), help="of the input")
    args.add_argument("--size-of", metavar="IMAGE", help="take the size that the model gives this image")
    args.add_argument("--top", choices=["topk", "rank"], default="topk")
    args.add_argument("--check", metavar="HISTOMASK", help="binary to compare with")
    args.add_argument("--image", nargs="+", help="lossless images to compare on")
    args = args.parse_args()
    weights, card = read(args.model)
    if args.size_of:
        from PIL import Image
        with Image.open(args.size_of) as image:
            args.size = target(card, image.width, image.height)
    args.size = args.size or target(card, 512, 512)
    if args.out:
        onnx.save(Exporter(weights, card, args.size, args.top).build(), args.out)
        print(json.dumps({"file": args.out, "bytes": Path(args.out).stat().st_size, "size": args.size,
                          "top": args.top, "optimised": left_over(args.out)}))
    fine = True
    for image in args.image or [] if args.check else []:
        for name, (difference, allowed) in check(args.check, image, args.model, weights, card, args.top).items():
            fine &= difference <= allowed
            print(f"{image} {name}: differs by {difference:.1e}, allowed {allowed:.0e}")
    sys.exit(not fine)


if __name__ == "__main__":
    main()

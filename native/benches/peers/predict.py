"""Prediction beside ONNX Runtime: the same weights and input, results compared before timing, the programs taking turns.

    pip install onnxruntime onnx numpy safetensors
    cargo build --release --workspace --benches
    python native/benches/peers/predict.py --threads 1 2

Networks have random weights (`ours.rs` makes and writes them) and are exported with their normalisation folded in, as
for the benchmark of the browser (`web/bench/export_onnx.py`). One line per network, size and number of threads: medians
of seconds, and their ratio. Batch 1.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper
from safetensors.numpy import load_file

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "web/bench"))
from export_onnx import Exporter  # noqa: E402

NETWORKS = ["efficientnet-lite0", "efficientnet-lite0-short", "resnet18", "resnet18-deep-stem", "u-net"]
SIZES = ["224x224", "416x416", "432x641", "512x512", "522x775"]
CARD = {"classes": ["benign", "malignant"], "sigma": 0.15, "model": {
    "pooling": {"modalities": 5, "kmax": 0.3}, "mask": {"omega": 5.0, "classifier_scale": 0.8, "align_corners": True}}}


class Network(Exporter):
    """Any of our networks; `Exporter` knows the whole EfficientNet-Lite0."""

    def __init__(self, name, weights, size):
        super().__init__(weights, CARD, size, "topk")
        self.name = name

    def dense(self, x, conv, bn, stride, pad, relu=True, shortcut=None, prefix="backbone.", epsilon=1e-5):
        kernel = self.weights[f"{prefix}{conv}.weight"].astype(np.float64)
        of = lambda part: self.weights[f"{prefix}{bn}.{part}"].astype(np.float64)
        scale = of("weight") / np.sqrt(of("running_var") + epsilon)
        constant = self.graph.constant
        y = self.graph.add("Conv", x, constant(kernel * scale[:, None, None, None]),
                           constant(of("bias") - of("running_mean") * scale), kernel_shape=kernel.shape[2:],
                           strides=[stride] * 2, pads=[pad] * 4)
        y = self.graph.add("Add", y, shortcut) if shortcut else y
        return self.graph.add("Relu", y) if relu else y

    def backbone(self, x, size):
        if self.name == "efficientnet-lite0":
            return super().backbone(x, size)
        if self.name == "efficientnet-lite0-short":
            return self.short(x, size)
        return self.resnet(x, size)

    def short(self, x, size):
        x, size = self.conv(x, size, "conv_stem", "bn0", 2)
        for i, stride in enumerate([1, 2, 1, 2, 1, 2, 1, 1]):
            block, y = f"blocks.{i}", x
            if f"backbone.{block}.expand_conv.weight" in self.weights:
                y, _ = self.conv(y, size, f"{block}.expand_conv", f"{block}.bn0")
            y, size = self.conv(y, size, f"{block}.depthwise_conv", f"{block}.bn1", stride)
            y, _ = self.conv(y, size, f"{block}.project_conv", f"{block}.bn2", act=False)
            x = self.graph.add("Add", y, x) if i in (2, 4, 6, 7) else y
        return self.dense(x, "neck.conv", "neck.bn", 1, 0), size

    def resnet(self, x, size):
        if self.name == "resnet18":
            x = self.dense(x, "conv1", "bn1", 2, 3)
        else:
            for index in (1, 2, 3):
                x = self.dense(x, f"conv{index}", f"bn{index}", 2 if index == 1 else 1, 1)
        x = self.graph.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
        for layer in range(1, 5):
            for block in range(2):
                name, stride, shortcut = f"layer{layer}.{block}", 2 if layer > 1 and block == 0 else 1, x
                down = [key for key in self.weights if key.startswith(f"backbone.{name}.downsample")]
                if down:
                    conv, bn = ([key.removeprefix("backbone.").rsplit(".", 1)[0] for key in down if key.endswith(end)]
                                for end in ("weight", "running_mean"))
                    conv = next(key for key in conv if key not in bn)
                    shortcut = self.dense(x, conv, bn[0], stride, 0, relu=False)
                y = self.dense(x, f"{name}.conv1", f"{name}.bn1", stride, 1)
                x = self.dense(y, f"{name}.conv2", f"{name}.bn2", 1, 1, shortcut=shortcut)
        half = lambda side: (side + 1) // 2
        for _ in range(5):
            size = [half(side) for side in size]
        return x, size

    def u_net(self):
        add, constant = self.graph.add, self.graph.constant

        def double(x, name, stride=1):
            x = self.dense(x, f"{name}.conv1", f"{name}.bn1", stride, 1, prefix="")
            return self.dense(x, f"{name}.conv2", f"{name}.bn2", 1, 1, prefix="")

        skips, sizes, x, size = [], [], double("image", "init"), list(self.size)
        for i in range(5):
            skips, sizes = [*skips, x], [*sizes, size]
            x, size = double(x, f"down.{i}", 2), [(side + 1) // 2 for side in size]
        for i in range(5):
            skip, size, channels = skips.pop(), sizes.pop(), 512 >> i
            y = double(x, f"up.{i}.before")
            y = self.cut(y, size, channels)
            x = double(add("Concat", y, skip, axis=1), f"up.{i}.after")
        kernel, bias = (constant(self.weights[f"classifier.{part}"]) for part in ("weight", "bias"))
        add("Conv", x, kernel, bias, kernel_shape=[1, 1], name="maps")
        value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        graph = helper.make_graph(self.graph.nodes, "u-net", [value("image", [1, 3, *self.size])],
                                  [value("maps", [1, 2, *self.size])], self.graph.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
        model.ir_version = 9
        return model

    def cut(self, x, size, channels):
        """Doubled, and cut to an odd size."""
        twice = [2 * -(-side // 2) for side in size]
        constant = self.graph.constant
        y = self.graph.add("Resize", x, "", "", constant([1, channels, *twice], np.int64), mode="nearest",
                           coordinate_transformation_mode="asymmetric", nearest_mode="floor")
        return y if twice == size else self.graph.add("Slice", y, constant([0, 0], np.int64), constant(size, np.int64),
                              constant([2, 3], np.int64))


def binary():
    found = sorted(Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).glob("release/deps/peers-*"),
                   key=lambda path: path.stat().st_mtime)
    found = [path for path in found if os.access(path, os.X_OK) and not path.suffix]
    return str(found[-1]) if found else sys.exit("cargo build --release --workspace --benches first")


def compare(name, size, threads, rounds):
    with tempfile.TemporaryDirectory() as folder:
        ours = subprocess.Popen([binary(), name, *map(str, size), folder], stdin=subprocess.PIPE, text=True,
                                stdout=subprocess.PIPE, env={**os.environ, "RAYON_NUM_THREADS": str(threads)})
        if ours.stdout.readline() != "ready\n":
            sys.exit(f"{name}: our side did not start")
        read = lambda index: np.fromfile(f"{folder}/result{index}.f32", np.float32)
        image = np.fromfile(f"{folder}/image.f32", np.float32).reshape([1, 3, *size])
        network = Network(name, load_file(f"{folder}/weights.safetensors"), list(size))
        model = network.u_net() if name == "u-net" else network.build()
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        theirs = lambda: session.run(None, {"image": image})
        results = theirs()
        pairs = [(0, 0)] if name == "u-net" else [(1, 0), (2, 1)]
        for mine, other in pairs:
            expected = results[other].ravel()
            difference = np.abs(read(mine) - expected).max() / max(np.abs(expected).max(), 1e-6)
            if not difference < 1e-3:
                sys.exit(f"{name} {size}: results differ by {difference:.1e} of the largest value")
        times = [[], []]
        for round in range(rounds + 1):
            ours.stdin.write("\n")
            ours.stdin.flush()
            times[0].append(float(ours.stdout.readline()))
            start = time.perf_counter()
            theirs()
            times[1].append(time.perf_counter() - start)
            # its threads go on spinning for a while, on the cores that are ours in the next turn
            time.sleep(0.1)
        ours.stdin.close()
        ours.wait()
    return [statistics.median(side[1:]) for side in times]


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    args.add_argument("--networks", nargs="+", default=NETWORKS)
    args.add_argument("--sizes", nargs="+", default=SIZES, metavar="HxW")
    args.add_argument("--rounds", type=int, default=7)
    args = args.parse_args()
    print("| network | size | threads | ours | ONNX Runtime | ratio |\n|---|---|---|---|---|---|")
    for name in args.networks:
        for size in args.sizes:
            for threads in args.threads:
                ours, theirs = compare(name, [int(side) for side in size.split("x")], threads, args.rounds)
                print(f"| {name} | {size} | {threads} | {1e3 * ours:.1f} ms | {1e3 * theirs:.1f} ms | "
                      f"{ours / theirs:.2f} |", flush=True)


if __name__ == "__main__":
    main()

"""A whole slide in PyTorch, to set beside `histomask predict SLIDE`: OpenSlide, a DataLoader, the same network.

    pip install torch openslide-bin openslide-python safetensors pillow numpy
    histomask predict SLIDE --out predictions --device cpu
    python native/benches/pytorch/slide.py SLIDE predictions/<stem>_tiles.csv

The plain loop that most programs are: the windows of the table, read at the model's microns per pixel by workers,
classified and segmented in batches, each mask stored in an array of the slide's size at that scale. The network is
the embedded one with its weights; its classes are compared with the table's. Nothing overlaps or is blended, nothing is
refined by colour, no outlines, pyramid or overlay are written. Prints one JSON line.
"""

import argparse
import csv
import json
import math
import resource
import tempfile
import time
from pathlib import Path

import numpy
import openslide
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors import safe_open
from torch import nn

EMBEDDED = Path(__file__).parents[2] / "assets/glas.safetensors"
# kernel, stride, expansion, output of EfficientNet-Lite0's blocks
BLOCKS = [(3, 1, 1, 16)] + [(3, 2, 6, 24), (3, 1, 6, 24), (5, 2, 6, 40), (5, 1, 6, 40)]
BLOCKS += [(3, 2, 6, 80), (3, 1, 6, 80), (3, 1, 6, 80)]


class Same(nn.Conv2d):
    """TensorFlow's SAME padding."""

    def __init__(self, cin, cout, k, stride=1, groups=1):
        # symmetric but where a stride of 2 meets an even side
        super().__init__(cin, cout, k, stride, k // 2 if stride == 1 else 0, groups=groups, bias=False)

    def forward(self, x):
        if self.stride[0] > 1:
            pad = []
            for side, k in zip(reversed(x.shape[2:]), reversed(self.kernel_size)):
                total = max((math.ceil(side / 2) - 1) * 2 + k - side, 0)
                pad += [total // 2, total - total // 2]
            x = F.pad(x, pad)
        return super().forward(x)


def norm(channels):
    return nn.BatchNorm2d(channels, eps=1e-3)


class Inverted(nn.Module):
    def __init__(self, cin, k, stride, expand, cout):
        super().__init__()
        mid = cin * expand
        self.expand_conv, self.bn0 = (Same(cin, mid, 1), norm(mid)) if expand > 1 else (None, None)
        self.depthwise_conv, self.bn1 = Same(mid, mid, k, stride, mid), norm(mid)
        self.project_conv, self.bn2 = Same(mid, cout, 1), norm(cout)
        self.skip = stride == 1 and cin == cout

    def forward(self, x):
        y = F.relu6(self.bn0(self.expand_conv(x)), True) if self.expand_conv else x
        y = self.bn2(self.project_conv(F.relu6(self.bn1(self.depthwise_conv(y)), True)))
        return x + y if self.skip else y


class Neck(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.conv, self.bn = Same(cin, cout, 1), nn.BatchNorm2d(cout)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)), True)


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv_stem, self.bn0 = Same(3, 32, 3, 2), norm(32)
        self.blocks, cin = nn.ModuleList(), 32
        for k, stride, expand, cout in BLOCKS:
            self.blocks.append(Inverted(cin, k, stride, expand, cout))
            cin = cout
        self.neck = Neck(cin, 256)

    def forward(self, x):
        x = F.relu6(self.bn0(self.conv_stem(x)), True)
        for block in self.blocks:
            x = block(x)
        return self.neck(x)


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(256, 2, 1)

    def forward(self, features):
        maps = self.conv(features)
        flat = maps.flatten(2)
        return maps, flat.topk(max(round(0.3 * flat.shape[2]), 1), dim=2).values.mean(2)


class MaxMin(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone, self.localizer, self.classifier = Backbone(), Head(), Head()

    def forward(self, x):
        maps, scores = self.localizer(self.backbone(x))
        raw = (maps * scores.softmax(1)[:, :, None, None]).sum(1, keepdim=True)
        raw = F.interpolate(raw, x.shape[2:], mode="bilinear", align_corners=True)
        low, high = raw.amin((2, 3), keepdim=True), raw.amax((2, 3), keepdim=True)
        mask = torch.sigmoid(10 * ((raw - low) / (high - low) - 0.15))
        size = [int(side * 0.8) for side in x.shape[2:]]
        shrink = lambda region: F.interpolate(region, size, mode="bilinear", align_corners=True)
        masked = torch.cat([shrink(x * mask), shrink(x * (1 - mask))])
        plus, minus = self.classifier(self.backbone(masked))[1].softmax(1).chunk(2)
        return plus, minus, mask


def spans(first, count, step):
    """Where `count` pixels that are `step` long begin, and the share of each source pixel in each of them."""
    edges = (first + numpy.arange(count + 1)) * step
    begin = math.floor(edges[0])
    pixels = begin + numpy.arange(max(math.ceil(edges[-1]) - begin, 1))
    inside = numpy.minimum(pixels + 1, edges[1:, None]) - numpy.maximum(pixels, edges[:-1, None])
    return begin, (inside.clip(0) / step).astype(numpy.float32)


class Windows(torch.utils.data.Dataset):
    """Windows of a slide at the model's scale, for each where it starts there."""

    def __init__(self, path, corners, mpp, side, area):
        self.path, self.corners, self.side, self.area, self.slide = path, corners, side, area, None
        slide = openslide.OpenSlide(path)
        self.down = mpp / float(slide.properties[openslide.PROPERTY_NAME_MPP_X])
        # whole pixels of the model cover the slide
        self.steps = [length / round(length / self.down) for length in slide.dimensions]
        self.size = [math.ceil(length / self.down) + side for length in slide.dimensions]
        self.level = slide.get_best_level_for_downsample(self.down * 1.001)
        self.factor = slide.level_downsamples[self.level]

    def __len__(self):
        return len(self.corners)

    def __getitem__(self, index):
        # each worker opens the file itself
        self.slide = self.slide or openslide.OpenSlide(self.path)
        corner = self.corners[index]
        at = [round(place / step) for place, step in zip(corner, self.steps)]
        image = self.by_area(at) if self.area else self.by_box(corner)
        return torch.from_numpy(image).permute(2, 0, 1) / 127.5 - 1, torch.tensor(at)

    def by_box(self, corner):
        """As most programs do: whole pixels of the level, Pillow's box filter, which takes no part of a pixel."""
        length = round(self.side * self.down / self.factor)
        region = self.read([round(place) for place in corner], (length, length))
        return numpy.asarray(region.resize((self.side, self.side), Image.Resampling.BOX), dtype=numpy.float32)

    def by_area(self, at):
        """As `predict` does: the mean over a pixel's area, of pixels that lie partly inside their part."""
        (x, across), (y, down) = (spans(a, self.side, step / self.factor) for a, step in zip(at, self.steps))
        region = self.read([round(x * self.factor), round(y * self.factor)], (across.shape[1], down.shape[1]))
        pixels = numpy.asarray(region, dtype=numpy.float32)
        rows = numpy.tensordot(down, pixels, 1)
        return numpy.floor(numpy.tensordot(across, rows, (1, 1)).transpose(1, 0, 2) + 0.5)

    def read(self, at, size):
        region = self.slide.read_region(at, self.level, size)
        glass = Image.new("RGB", region.size, (255, 255, 255))
        glass.paste(region, mask=region.getchannel("A"))
        return glass


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("slide")
    args.add_argument("tiles")
    args.add_argument("--mpp", type=float, default=1.1238)
    args.add_argument("--side", type=int, default=288)
    args.add_argument("--batch", type=int, default=8)
    args.add_argument("--workers", type=int, default=1)
    args.add_argument("--threads", type=int, default=torch.get_num_threads())
    args.add_argument("--channels-last", action="store_true")
    args.add_argument("--area", action="store_true", help="resample as predict does, not by Pillow's box filter")
    args = args.parse_args()
    torch.set_num_threads(args.threads)

    model = MaxMin().eval()
    with safe_open(EMBEDDED, "pt") as file:
        weights = {name: file.get_tensor(name).float() for name in file.keys()}
    lacking = model.load_state_dict(weights, strict=False)
    assert not lacking.unexpected_keys and all("num_batches" in name for name in lacking.missing_keys), lacking
    with open(args.tiles, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    wanted = torch.tensor([[float(row[name]) for name in row if name.startswith("p_")] for row in rows])

    start = time.perf_counter()
    windows = Windows(args.slide, [(float(row["x"]), float(row["y"])) for row in rows], args.mpp, args.side, args.area)
    loader = torch.utils.data.DataLoader(windows, args.batch, num_workers=args.workers)
    posteriors, waiting = [], 0.0
    with tempfile.TemporaryFile() as file, torch.inference_mode():
        masks = numpy.memmap(file, numpy.uint8, "w+", shape=tuple(reversed(windows.size)))
        before = time.perf_counter()
        for images, corners in loader:
            waiting += time.perf_counter() - before
            if args.channels_last:
                images = images.to(memory_format=torch.channels_last)
            plus, _, soft = model(images)
            posteriors.append(plus)
            for (x, y), mask in zip(corners.tolist(), (soft[:, 0] * 255).round().byte().numpy()):
                masks[y : y + args.side, x : x + args.side] = mask
            before = time.perf_counter()
    seconds = time.perf_counter() - start
    apart = (torch.cat(posteriors) - wanted).abs()
    print(json.dumps({
        "tiles": len(rows),
        "seconds": round(seconds, 2),
        "tiles_per_second": round(len(rows) / seconds, 2),
        "waiting_for_windows_percent": round(100 * waiting / seconds, 1),
        "posteriors_apart_mean_and_most": [round(float(apart.mean()), 4), round(float(apart.max()), 4)],
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
        "batch": args.batch,
        "workers": args.workers,
        "threads": args.threads,
        "channels_last": args.channels_last,
        "area": args.area,
        "torch": torch.__version__,
    }))


if __name__ == "__main__":
    main()

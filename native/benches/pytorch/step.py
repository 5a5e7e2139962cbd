"""Training step and prediction in PyTorch, to set beside `histomask bench`.

    pip install torch
    python native/benches/pytorch/step.py --repeats 5

The same networks, batch and sizes: the released max-min model (three passes, all loss terms, SGD with Nesterov),
CAM-Avg and the U-Net. Random weights and inputs; medians after one run to warm up. Prints one JSON line per network.
Its peer: histomask bench --methods max-min,cam-avg,u-net --backbones efficientnet-lite0,resnet18 --device cpu
"""

import argparse
import json
import math
import resource
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn


def conv_bn(cin, cout, k, stride=1, groups=1, act=True):
    layers = [nn.Conv2d(cin, cout, k, stride, k // 2, groups=groups, bias=False), nn.BatchNorm2d(cout)]
    return nn.Sequential(*layers, nn.ReLU6(True)) if act else nn.Sequential(*layers)


class Inverted(nn.Module):
    def __init__(self, cin, cout, k, stride, expand):
        super().__init__()
        mid = cin * expand
        self.body = nn.Sequential(
            *([conv_bn(cin, mid, 1)] if expand > 1 else []),
            conv_bn(mid, mid, k, stride, mid),
            conv_bn(mid, cout, 1, act=False),
        )
        self.skip = stride == 1 and cin == cout

    def forward(self, x):
        return x + self.body(x) if self.skip else self.body(x)


class EfficientNetLite0(nn.Module):
    features = 1280

    def __init__(self):
        super().__init__()
        stages = [(16, 3, 1, 1, 1), (24, 3, 2, 6, 2), (40, 5, 2, 6, 2), (80, 3, 2, 6, 3), (112, 5, 1, 6, 3)]
        stages += [(192, 5, 2, 6, 4), (320, 3, 1, 6, 1)]
        layers, cin = [conv_bn(3, 32, 3, 2)], 32
        for cout, k, stride, expand, repeats in stages:
            for i in range(repeats):
                layers.append(Inverted(cin, cout, k, stride if i == 0 else 1, expand))
                cin = cout
        self.body = nn.Sequential(*layers, conv_bn(320, 1280, 1))

    def forward(self, x):
        return self.body(x)


class Block(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False), nn.BatchNorm2d(cout)
        self.conv2, self.bn2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False), nn.BatchNorm2d(cout)
        same = stride == 1 and cin == cout
        self.down = nn.Identity() if same else conv_bn(cin, cout, 1, stride, act=False)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(y)) + self.down(x))


class ResNet18(nn.Module):
    features = 512

    def __init__(self):
        super().__init__()
        stem = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(True), nn.MaxPool2d(3, 2, 1)]
        widths, cin, layers = [(64, 1), (128, 2), (256, 2), (512, 2)], 64, []
        for cout, stride in widths:
            layers += [Block(cin, cout, stride), Block(cout, cout, 1)]
            cin = cout
        self.body = nn.Sequential(*stem, *layers)

    def forward(self, x):
        return self.body(x)


class MaxMin(nn.Module):
    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone
        self.localizer = nn.Conv2d(backbone.features, 10, 1)
        self.classifier = nn.Conv2d(backbone.features, 10, 1)

    @staticmethod
    def pool(maps):
        flat = maps.flatten(2)
        return flat.topk(max(round(0.3 * flat.shape[2]), 1), dim=2).values.mean(2)

    def head(self, conv, features):
        maps = conv(features)
        return maps.reshape(maps.shape[0], 2, 5, *maps.shape[2:]).mean(2)

    def forward(self, x):
        maps = self.head(self.localizer, self.backbone(x))
        scores = self.pool(maps)
        raw = (maps * scores.softmax(1)[:, :, None, None]).sum(1, keepdim=True)
        raw = F.interpolate(raw, x.shape[2:], mode="bilinear", align_corners=True)
        low, high = raw.min(), raw.max()
        mask = torch.sigmoid(5 * ((raw - low) / (high - low) - 0.15))
        size = [int(side * 0.8) for side in x.shape[2:]]
        shrink = lambda region: F.interpolate(region, size, mode="bilinear", align_corners=True)
        of = lambda region: self.pool(self.head(self.classifier, self.backbone(shrink(region))))
        return scores, of(x * mask), of(x * (1 - mask)), mask

    def loss(self, x, labels):
        scores, plus, minus, mask = self(x)
        sizes = mask.flatten(1).sum(1)
        rest = mask[0].numel() - sizes
        background = -minus.log_softmax(1).mean() / math.log(2)
        barrier = -(sizes.log() + rest.log()).mean() / 5
        return F.cross_entropy(scores, labels) + F.cross_entropy(plus, labels) + 1e-7 * background + barrier


class CamAvg(nn.Module):
    def __init__(self, backbone):
        super().__init__()
        self.backbone, self.head = backbone, nn.Conv2d(backbone.features, 2, 1)

    def forward(self, x):
        return self.head(self.backbone(x))

    def loss(self, x, labels):
        return F.cross_entropy(self(x).mean((2, 3)), labels)


def double(cin, cout, stride=1):
    return nn.Sequential(*[layer for a, b, s in [(cin, cout, stride), (cout, cout, 1)] for layer in (
        nn.Conv2d(a, b, 3, s, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU(True))])


class UNet(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.first = double(3, width)
        self.down = nn.ModuleList(double(width << i, width << i + 1, 2) for i in range(5))
        self.before = nn.ModuleList(double(width << i + 1, width << i + 1) for i in reversed(range(5)))
        self.after = nn.ModuleList(double(3 * (width << i), width << i) for i in reversed(range(5)))
        self.last = nn.Conv2d(width, 2, 1)

    def forward(self, x):
        skips = [self.first(x)]
        for down in self.down:
            skips.append(down(skips[-1]))
        x = skips.pop()
        for before, after in zip(self.before, self.after):
            skip = skips.pop()
            x = after(torch.cat([F.interpolate(before(x), skip.shape[2:]), skip], 1))
        return self.last(x)

    def loss(self, x, labels):
        return F.cross_entropy(self(x), (x[:, 0] > 0).long())


def timed(work, repeats):
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--repeats", type=int, default=5)
    args.add_argument("--crop", type=int, default=416)
    args.add_argument("--batch", type=int, default=4)
    args.add_argument("--images", type=int, default=67, help="images of an epoch, reckoned from the step: GlaS's fold 0")
    args.add_argument("--only", default="", help="networks whose name contains this")
    args = args.parse_args()
    networks = {
        "max-min, efficientnet-lite0": lambda: MaxMin(EfficientNetLite0()),
        "max-min, resnet18": lambda: MaxMin(ResNet18()),
        "cam-avg, efficientnet-lite0": lambda: CamAvg(EfficientNetLite0()),
        "cam-avg, resnet18": lambda: CamAvg(ResNet18()),
        "u-net": UNet,
    }
    for name, make in networks.items():
        if args.only not in name:
            continue
        model = make()
        optimizer = torch.optim.SGD(model.parameters(), 1e-3, 0.9, weight_decay=1e-4, nesterov=True)
        x, labels = torch.rand(args.batch, 3, args.crop, args.crop) * 2 - 1, torch.arange(args.batch) % 2

        def step():
            optimizer.zero_grad(set_to_none=True)
            model.loss(x, labels).backward()
            optimizer.step()

        training = timed(step, args.repeats)
        model.eval()
        image = torch.rand(1, 3, 432, 641)
        with torch.inference_mode():
            prediction = timed(lambda: model(image), args.repeats)
        print(json.dumps({
            "network": name,
            "parameters": sum(p.numel() for p in model.parameters()),
            "seconds_per_step": round(training, 4),
            "seconds_per_epoch": round(training * args.images / args.batch, 2),
            "training_images_per_second": round(args.batch / training, 3),
            "prediction_images_per_second": round(1 / prediction, 3),
            "peak_memory_gib_so_far": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
        }), flush=True)


if __name__ == "__main__":
    main()

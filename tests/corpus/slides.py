"""Makes the slides in tests/corpus/slides, seeds for fuzzing: one of each layout and compression, a few KB each.

    pip install numpy tifffile imagecodecs pyvips-binary pyvips
    python tests/corpus/slides.py tests/corpus/slides
"""

import sys
from pathlib import Path

import numpy
import pyvips
import tifffile

WIDTH, HEIGHT, TILE = 80, 64, (32, 32)
y, x = numpy.mgrid[:HEIGHT, :WIDTH]
PICTURE = numpy.stack([x * 2 + 60, (y * 3) % 256, (x + y) % 200], 2).astype(numpy.uint8)
HALF = PICTURE[::2, ::2]
APERIO = f"Aperio Image Library v1\r\n{WIDTH}x{HEIGHT}|AppMag = 20|MPP = 0.5"
PHILIPS = (
    '<DataObject ObjectType="DPUfsImport"><Attribute Name="PIM_DP_UFS_BARCODE">x</Attribute>'
    '<Attribute Name="PIIM_PIXEL_DATA_REPRESENTATION_SEQUENCE"><Array>'
    + "".join(f'<Attribute Name="DICOM_PIXEL_SPACING">&quot;0.000{n}&quot; &quot;0.000{n}&quot;</Attribute>' for n in (25, 50))
    + "</Array></Attribute></DataObject>"
)


def write(path, pages, bigtiff=False, byteorder="<", **kwargs):
    with tifffile.TiffWriter(path, bigtiff=bigtiff, byteorder=byteorder) as file:
        for index, page in enumerate(pages):
            options = {"photometric": "rgb", "tile": TILE, "metadata": None, "subfiletype": int(index > 0)} | kwargs
            options |= page[1] if len(page) > 1 else {}
            file.write(page[0], **options)


def sparse(picture):
    for index in range(6):
        row, column = divmod(index, 3)
        yield None if index % 2 else numpy.ascontiguousarray(picture[row * 32 : row * 32 + 32, column * 32 : column * 32 + 32])


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    label = {"tile": None, "compression": "lzw", "compressionargs": None, "subfiletype": 1, "description": "Aperio\nlabel 40x32"}
    thumbnail = {"tile": None, "compression": "jpeg", "subfiletype": 0, "description": "Aperio\n"}
    first = {"description": APERIO}
    jpeg = [(PICTURE, first), (HALF, thumbnail), (HALF,), (HALF, label)]
    write(out / "aperio_jpeg.svs", jpeg, compression="jpeg", compressionargs={"level": 50})
    for name, codec in [("33003", "aperio_jp2000_ycbc"), ("33005", "aperio_jp2000_rgb")]:
        write(out / f"aperio_{name}.svs", [(PICTURE, first), (HALF,)], compression=codec)
    philips = {"description": PHILIPS, "software": "Philips DP v1.0"}
    write(out / "philips.tiff", [(PICTURE, philips), (HALF,)], compression="jpeg", compressionargs={"level": 50})
    write(out / "lzw_predictor.tif", [(PICTURE,), (HALF,)], compression="lzw", predictor=True)
    write(out / "packbits_strips.tif", [(PICTURE[:24, :40],)], compression="packbits", tile=None, rowsperstrip=10)
    write(out / "big_uncompressed.btf", [(PICTURE[:48, :48],), (HALF[:24, :24],)], bigtiff=True, tile=(16, 16))
    wide = (PICTURE.astype(numpy.uint16) * 257).transpose(2, 0, 1)
    write(out / "planes_16_bits_big_endian.tif", [(wide,)], byteorder=">", compression="zlib", predictor=True, planarconfig="separate")
    alpha = numpy.dstack([PICTURE, (x * 3).astype(numpy.uint8)])
    write(out / "alpha_deflate.tif", [(alpha,)], compression="zlib", predictor=True, extrasamples=["unassalpha"])
    write(out / "grey_jpeg2000.tif", [(PICTURE[..., 0],)], photometric="minisblack", compression="jpeg2000")
    with tifffile.TiffWriter(out / "sparse.tif") as file:
        file.write(sparse(PICTURE), shape=(64, 96, 3), dtype=numpy.uint8, photometric="rgb", tile=TILE, metadata=None)
    with tifffile.TiffWriter(out / "sub.ome.tif", ome=True) as file:
        scale = {"axes": "YXS", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
        file.write(PICTURE, subifds=1, photometric="rgb", tile=TILE, compression="zlib", predictor=True, metadata=scale)
        file.write(HALF, subfiletype=1, photometric="rgb", tile=TILE, compression="zlib", predictor=True)
    image = pyvips.Image.new_from_array(PICTURE)
    options = {"tile": True, "tile_width": 32, "tile_height": 32, "pyramid": True, "compression": "jpeg"}
    image.tiffsave(str(out / "tables_shared_colours.tif"), Q=75, **options)
    image.tiffsave(str(out / "tables_sub.tif"), Q=95, subifd=True, bigtiff=True, **options)


if __name__ == "__main__":
    main()

// The shipped model with another card: inputs small enough for a GPU that is software, images that are not scaled, or
// another method over the same network.

/** A safetensors file: its header's length, the header, the weights. */
function split(file) {
  const end = 8 + Number(file.readBigUInt64LE());
  return { header: JSON.parse(file.subarray(8, end)), weights: file.subarray(end) };
}

function join(header, weights) {
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, weights]);
}

export function card(file) {
  return JSON.parse(split(file).header.__metadata__.histomask);
}

/** Number formats of the weights. */
export function formats(file) {
  const { __metadata__, ...tensors } = split(file).header;
  return new Set(Object.values(tensors).map(({ dtype }) => dtype));
}

/** The model with another card; `change` gets a copy of it. */
function withCard(file, change) {
  const { header, weights } = split(file);
  const content = card(file);
  change(content);
  header.__metadata__.histomask = JSON.stringify(content);
  return join(header, weights);
}

/** The model with its images scaled by another rule. */
export function scaled(file, input) {
  return withCard(file, card => Object.assign(card.input, input));
}

/** The model with another threshold. */
export function withThreshold(file, threshold) {
  return withCard(file, card => Object.assign(card, { threshold }));
}

/** The model with the card of another network. */
export function asUNet(file) {
  return withCard(file, ({ model }) => {
    model.method = 'u-net';
  });
}

/** The localizer of the max-min model as WILDCAT, which has a mask for each class. */
export function asWildcat(file) {
  const {
    header: { __metadata__, ...tensors },
    weights,
  } = split(file);
  const content = card(file);
  content.model = { ...content.model, method: 'wildcat' };
  const header = { __metadata__: { ...__metadata__, histomask: JSON.stringify(content) } };
  const parts = [];
  let at = 0;
  for (const [name, tensor] of Object.entries(tensors)) {
    // WILDCAT has no second head, and the format allows no gap
    if (name.startsWith('classifier.')) continue;
    const part = weights.subarray(...tensor.data_offsets);
    header[name.replace('localizer.', 'head.')] = { ...tensor, data_offsets: [at, at + part.length] };
    parts.push(part);
    at += part.length;
  }
  return join(header, Buffer.concat(parts));
}

/** Weights alone. */
export function withoutCard(file) {
  const {
    header: { __metadata__, ...tensors },
    weights,
  } = split(file);
  return join(tensors, weights);
}

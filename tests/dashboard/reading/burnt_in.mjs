// Reads the number of a frame that `reelmill sample` burns into its pictures, off what a page shows: a playing film, or a
// cell of a sprite sheet. The digits have seven segments; where they stand follows from the picture's width and height.

/// Runs in the page. `element`: a video, or an element whose background is a part of a sheet.
async function read(element) {
  const canvas = document.createElement("canvas");
  let [image, x, y, width, height] = [element, 0, 0, element.videoWidth, element.videoHeight];
  if (!(element instanceof HTMLVideoElement)) {
    const style = getComputedStyle(element);
    image = new Image();
    image.src = /url\("(.*)"\)/.exec(style.backgroundImage)?.[1] ?? "";
    await image.decode();
    const scale = parseFloat(style.backgroundSize) / image.naturalWidth;
    [x, y] = style.backgroundPosition.split(" ").map((offset) => -parseFloat(offset) / scale);
    const box = element.getBoundingClientRect();
    [width, height] = [box.width / scale, box.height / scale];
  }
  [canvas.width, canvas.height] = [960, Math.round((960 * height) / width)];
  const context = canvas.getContext("2d");
  context.drawImage(image, x, y, width, height, 0, 0, canvas.width, canvas.height);
  const cell = Math.min(canvas.width / 12, canvas.height / 4);
  const [left, top] = [canvas.width / 2 - cell * 3, (canvas.height * 7) / 16];
  const thick = cell / 8;
  const [wide, tall] = [cell - 2 * thick, cell * 1.5 - 2 * thick];
  const lit = (px, py) => {
    const [red, green, blue] = context.getImageData(Math.round(px), Math.round(py), 1, 1).data;
    return red + green + blue > 384;
  };
  const DIGITS = [0x3f, 0x06, 0x5b, 0x4f, 0x66, 0x6d, 0x7d, 0x07, 0x7f, 0x6f];
  let number = 0;
  for (let place = 0; place < 6; place += 1) {
    const [x0, y0] = [left + place * cell + thick, top + thick];
    const [first, last, middle] = [x0 + thick / 2, x0 + wide - thick / 2, x0 + wide / 2];
    const points = [[middle, y0 + thick / 2], [last, y0 + tall / 4], [last, y0 + (tall * 3) / 4], [middle, y0 + tall - thick / 2], [first, y0 + (tall * 3) / 4], [first, y0 + tall / 4], [middle, y0 + tall / 2]];
    const bits = points.reduce((sum, [px, py], bit) => sum | (lit(px, py) ? 1 << bit : 0), 0);
    const digit = DIGITS.indexOf(bits);
    if (digit < 0) return `unreadable digit ${place}: ${bits.toString(2)}`;
    number = number * 10 + digit;
  }
  return number;
}

/// The frame number that the element of a locator shows.
export const frameIn = (locator) => locator.evaluate(read);

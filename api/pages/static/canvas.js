// Drawing on a canvas: its size in real pixels, and the colours of the style sheet.

export function penFor(canvas, width, height) {
  const sharp = devicePixelRatio || 1;
  const pen = canvas.getContext("2d");
  if (canvas.width !== Math.floor(width * sharp) || canvas.height !== Math.floor(height * sharp)) {
    canvas.width = width * sharp;
    canvas.height = height * sharp;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  pen.setTransform(sharp, 0, 0, sharp, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

// A layer is drawn once and then copied into each frame, so a frame costs the same for 20 bars and for 20,000.
export function layer(width, height, draw) {
  const canvas = document.createElement("canvas");
  draw(penFor(canvas, width, height));
  return canvas;
}

// Copy a layer up to the pixel column `until`.
export function copy(pen, from, until, height) {
  const sharp = devicePixelRatio || 1;
  const width = Math.min(Math.max(until, 0) * sharp, from.width);
  if (width > 0) pen.drawImage(from, 0, 0, width, from.height, 0, 0, width / sharp, height);
}

// The value of a colour such as --muted. light-dark() has a value only inside a property, so a probe reads it.
export function colours(parent, names) {
  const probe = parent.appendChild(document.createElement("i"));
  const found = names.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(found);
}

// Moments for the labels of a time axis, about `apart` pixels from each other at least.
export function moments(seconds, pixelsPerSecond, apart = 60) {
  const step = [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 600].find((each) => each * pixelsPerSecond > apart) ?? 1800;
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, place) => +(place * step).toFixed(2));
}

// Draw everything again when the size, the theme or the font changes.
export function whenItChanges(place, draw) {
  new ResizeObserver(draw).observe(place);
  document.documentElement.addEventListener("themechange", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  document.fonts.ready.then(draw); // a canvas does not redraw by itself when its font is loaded
}

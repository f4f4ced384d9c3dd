/** Positions of points and of the view. A place on the screen is a place on the map times `scale`, moved by `x` and `y`. */
export interface View {
  scale: number;
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

export interface Place {
  x: number;
  y: number;
}

export interface Positions {
  count: number;
  x: Float32Array;
  y: Float32Array;
}

/** How much larger than the whole map things may become. */
const CLOSEST = 64;
/** Cells of the index on each side. */
const SIDE = 128;

/** The whole map in the middle. */
export function fitted({ width, height }: Size): View {
  const scale = Math.max(1, Math.min(width, height));
  return { scale, x: (width - scale) / 2, y: (height - scale) / 2 };
}

/** Closer by a factor, while the place of the screen stays where it is. */
export function zoomed(view: View, factor: number, at: Place, size: Size): View {
  const whole = fitted(size).scale;
  const scale = Math.min(CLOSEST * whole, Math.max(whole / 2, view.scale * factor));
  const ratio = scale / view.scale;
  return { scale, x: at.x - (at.x - view.x) * ratio, y: at.y - (at.y - view.y) * ratio };
}

export function panned(view: View, dx: number, dy: number): View {
  return { ...view, x: view.x + dx, y: view.y + dy };
}

export function toMap({ scale, x, y }: View, at: Place): Place {
  return { x: (at.x - x) / scale, y: (at.y - y) / scale };
}

export function toScreen({ scale, x, y }: View, at: Place): Place {
  return { x: at.x * scale + x, y: at.y * scale + y };
}

/** Whether a place lies within a closed line, by the number of its edges to the right (even-odd). */
export function isInside(line: readonly Place[], { x, y }: Place): boolean {
  let inside = false;
  for (let at = 0; at < line.length; at++) {
    const from = line[at] as Place;
    const to = line[(at + line.length - 1) % line.length] as Place;
    if (from.y > y !== to.y > y && x < ((to.x - from.x) * (y - from.y)) / (to.y - from.y) + from.x)
      inside = !inside;
  }
  return inside;
}

/** The points within a closed line, in their order. A line of fewer than three places has none. */
export function within(points: Positions, line: readonly Place[]): number[] {
  if (line.length < 3) return [];
  const xs = line.map(({ x }) => x);
  const ys = line.map(({ y }) => y);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const found: number[] = [];
  for (let at = 0; at < points.count; at++) {
    const x = points.x[at] as number;
    const y = points.y[at] as number;
    if (x >= left && x <= right && y >= top && y <= bottom && isInside(line, { x, y })) found.push(at);
  }
  return found;
}

/** The points that the screen shows, in their order. */
export function inView(points: Positions, view: View, { width, height }: Size): number[] {
  const from = toMap(view, { x: 0, y: 0 });
  const to = toMap(view, { x: width, y: height });
  const found: number[] = [];
  for (let at = 0; at < points.count; at++) {
    const x = points.x[at] as number;
    const y = points.y[at] as number;
    if (x >= from.x && x <= to.x && y >= from.y && y <= to.y) found.push(at);
  }
  return found;
}

/** Finds the point at a place without looking at all of them. */
export interface Index {
  nearest: (at: Place, most: number) => number | null;
}

/** Sorts the points into cells of the map. */
export function indexed(points: Positions): Index {
  const cellOf = (value: number) => Math.min(SIDE - 1, Math.max(0, Math.floor(value * SIDE)));
  const starts = new Uint32Array(SIDE * SIDE + 1);
  const cells = new Uint32Array(points.count);
  for (let at = 0; at < points.count; at++) {
    const cell = cellOf(points.y[at] as number) * SIDE + cellOf(points.x[at] as number);
    cells[at] = cell;
    starts[cell + 1] = (starts[cell + 1] as number) + 1;
  }
  for (let cell = 0; cell < SIDE * SIDE; cell++)
    starts[cell + 1] = (starts[cell + 1] as number) + (starts[cell] as number);
  const filled = starts.slice();
  const order = new Uint32Array(points.count);
  for (let at = 0; at < points.count; at++) {
    const cell = cells[at] as number;
    order[filled[cell] as number] = at;
    filled[cell] = (filled[cell] as number) + 1;
  }
  return {
    nearest: ({ x, y }, most) => {
      let best: number | null = null;
      let least = most * most;
      for (let row = cellOf(y - most); row <= cellOf(y + most); row++)
        for (let column = cellOf(x - most); column <= cellOf(x + most); column++) {
          const cell = row * SIDE + column;
          for (let place = starts[cell] as number; place < (starts[cell + 1] as number); place++) {
            const at = order[place] as number;
            const distance = ((points.x[at] as number) - x) ** 2 + ((points.y[at] as number) - y) ** 2;
            if (distance > least || (distance === least && best !== null)) continue;
            least = distance;
            best = at;
          }
        }
      return best;
    },
  };
}

/** The nearest point that lies rather in a direction than beside it; null: there is none. */
export function towards(points: Positions, from: number, way: Place): number | null {
  const x = points.x[from] as number;
  const y = points.y[from] as number;
  let best: number | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at < points.count; at++) {
    const ahead = ((points.x[at] as number) - x) * way.x + ((points.y[at] as number) - y) * way.y;
    const beside = Math.abs(((points.x[at] as number) - x) * way.y - ((points.y[at] as number) - y) * way.x);
    if (ahead <= 0 || beside > ahead) continue;
    const distance = ahead + 2 * beside;
    if (distance < least) {
      least = distance;
      best = at;
    }
  }
  return best;
}

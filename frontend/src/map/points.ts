import type { components } from "../api/schema";

type Answer = components["schemas"]["MapPoints"];

/** The images of the map, one after the other in each array. */
export interface Points {
  count: number;
  /** 16 bytes each. */
  ids: Uint8Array;
  /** From 0 at the left and at the top to 1. */
  x: Float32Array;
  y: Float32Array;
  /** The place of each image's label in `labels`; as many as there are labels: it has none. */
  places: Uint16Array;
  labels: string[];
}

const HIGHEST = 65_535;

/** Reads an answer of the studio. What is cut short counts as far as it is whole. */
export function decode(answer: Answer): Points {
  const [ids, positions, places] = [answer.ids, answer.positions, answer.places].map(bytesOf) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const count = Math.floor(Math.min(ids.length / 16, positions.length / 4, places.length / 2));
  const short = (bytes: Uint8Array, at: number) => (bytes[2 * at] ?? 0) + 256 * (bytes[2 * at + 1] ?? 0);
  const points: Points = {
    count,
    ids,
    x: new Float32Array(count),
    y: new Float32Array(count),
    places: new Uint16Array(count),
    labels: answer.labels,
  };
  for (let at = 0; at < count; at++) {
    points.x[at] = short(positions, 2 * at) / HIGHEST;
    points.y[at] = short(positions, 2 * at + 1) / HIGHEST;
    points.places[at] = Math.min(short(places, at), answer.labels.length);
  }
  return points;
}

function bytesOf(text: string): Uint8Array {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at);
  return bytes;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** The id of an image, as addresses have it. */
export function idOf({ ids }: Points, at: number): string {
  let text = "";
  for (let byte = 0; byte < 16; byte++) {
    if (byte === 4 || byte === 6 || byte === 8 || byte === 10) text += "-";
    text += HEX[ids[16 * at + byte] ?? 0];
  }
  return text;
}

/** Where each image is among the points. */
export function indexOf(points: Points): Map<string, number> {
  const index = new Map<string, number>();
  for (let at = 0; at < points.count; at++) index.set(idOf(points, at), at);
  return index;
}

/** How many images each label has, and at the end how many have none. */
export function countsOf({ count, places, labels }: Points): number[] {
  const counts = new Array<number>(labels.length + 1).fill(0);
  for (let at = 0; at < count; at++) {
    const place = places[at] ?? labels.length;
    counts[place] = (counts[place] ?? 0) + 1;
  }
  return counts;
}

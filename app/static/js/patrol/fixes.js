// @ts-check
// What of the positions that a device reports is worth keeping, and how few of them draw the same line. Pure.

/** @typedef {[number, number, number, number]} Fix lon, lat, ms since 1970, accuracy in metres */

// A circle wider than a block does not say which street; indoors and under bridges devices report 100 m to 3 km.
export const ACCURACY_M_MAX = 50;
// 144 km/h: nothing that a city sends out is faster, and a position that jumps to another mast or mirror is.
export const SPEED_M_S_MAX = 40;
// Standing still, a good position wanders by some metres: that is no way gone.
export const STEP_M_MIN = 8;
// Who stands still is noted once a minute all the same: at HQ the age of the last position is what counts.
export const STILL_MS = 60_000;
// So many refused positions in a row that agree with one another: then it was the one before them that was wrong.
export const AGREE = 3;
// Longer than this without a position is a gap, which is drawn as one: a good minute, and some seconds for a late fix.
export const GAP_MS = 90_000;
// Points that lie nearer to the line than this are left out of it: half of a street's width.
export const LINE_M = 5;

const EARTH_M = 6_371_000, RADIAN = Math.PI / 180;

/** @param {Fix} a @param {Fix} b */
export function metres(a, b) {
  const [x, y] = flat(a, b);
  return Math.hypot(x, y);
}

/** Whether nothing could have gone from one to the other so fast; each may be off by its circle. @param {Fix} a @param {Fix} b */
export function isJump(a, b) {
  const moved = metres(a, b) - a[3] - b[3];
  return moved > SPEED_M_S_MAX * Math.max((b[2] - a[2]) / 1000, 1);
}

export class Filter {
  /** @param {Fix | null} last the position that was kept last */
  constructor(last = null) {
    this.last = last;
    /** @type {Fix[]} */
    this.refused = [];
  }

  /** @param {Fix} fix @returns {"kept" | "wide" | "jump" | "still" | "back" | "moved"} moved: kept, and what was before it was wrong */
  take(fix) {
    if (fix[3] > ACCURACY_M_MAX) return "wide";
    if (!this.last) return this.#keep(fix, "kept");
    if (fix[2] <= this.last[2]) return "back";
    if (isJump(this.last, fix)) {
      const before = this.refused.at(-1);
      this.refused = before && !isJump(before, fix) ? [...this.refused, fix] : [fix];
      return this.refused.length >= AGREE ? this.#keep(fix, "moved") : "jump";
    }
    if (metres(this.last, fix) < Math.max(STEP_M_MIN, fix[3] / 2) && fix[2] - this.last[2] < STILL_MS) return "still";
    return this.#keep(fix, "kept");
  }

  /** @param {Fix} fix @param {"kept" | "moved"} how */
  #keep(fix, how) {
    this.last = fix;
    this.refused = [];
    return how;
  }
}

/** Of a line the points without which it would be another one (Douglas and Peucker). @param {Fix[]} fixes @returns {Fix[]} */
export function simplified(fixes, tolerance_m = LINE_M) {
  if (fixes.length < 3) return fixes;
  const first = fixes[0], last = fixes[fixes.length - 1];
  let far = 0, at = 0;
  for (let place = 1; place < fixes.length - 1; place += 1) {
    const off = aside(fixes[place], first, last);
    if (off > far) [far, at] = [off, place];
  }
  if (far <= tolerance_m) return [first, last];
  return [...simplified(fixes.slice(0, at + 1), tolerance_m).slice(0, -1), ...simplified(fixes.slice(at), tolerance_m)];
}

/** Metres from a point to the way between two others. @param {Fix} point @param {Fix} from @param {Fix} to */
function aside(point, from, to) {
  const [x, y] = flat(from, point), [dx, dy] = flat(from, to), long = dx * dx + dy * dy;
  const share = long ? Math.min(1, Math.max(0, (x * dx + y * dy) / long)) : 0;
  return Math.hypot(x - share * dx, y - share * dy);
}

/** East and north of a, in metres: over the few kilometres of a round the earth is flat. @param {Fix} a @param {Fix} b @returns {[number, number]} */
function flat(a, b) {
  return [(b[0] - a[0]) * RADIAN * EARTH_M * Math.cos(a[1] * RADIAN), (b[1] - a[1]) * RADIAN * EARTH_M];
}

// @ts-check
// The palette of the map and its hatches: one rule for tiles, legend and print, so that colour never speaks alone.

const SIDE = 16; // divides the 512 px of a tile, so that no hatch breaks at the edge of a tile
const SHARP = 2; // drawn twice as large: at its own size a diagonal of 1 px is a staircase
const NIGHT_DEPTH = 2.2;
const ROLES = ["ground", "water", "water-edge", "road", "road-edge", "lane", "rail", "building", "boundary", "word", "halo", "outside"];

/**
 * @typedef {{night: boolean, opacity: number, [role: string]: any}} Look
 */

/** The colours in force on this element. @param {HTMLElement} root @param {number} opacity @returns {Look} */
export function lookOf(root, opacity) {
  const probe = document.createElement("span");
  root.append(probe);
  /** @type {Look} */
  const look = { night: false, opacity };
  for (const role of ROLES) {
    probe.style.color = `var(--map-${role})`; // resolves light-dark(), which the value of a property does not
    look[role] = getComputedStyle(probe).color;
  }
  look.night = light(look.ground) < 0.4;
  look.font = getComputedStyle(root).fontFamily;
  probe.remove();
  return look;
}

/** @param {string} colour rgb(…) or #rrggbb @returns {number[]} */
function channels(colour) {
  if (colour.startsWith("#")) return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return (colour.match(/[\d.]+/g) ?? ["0", "0", "0"]).slice(0, 3).map(Number);
}

/** @param {string} colour */
const light = (colour) => channels(colour).reduce((sum, one) => sum + one, 0) / 765;

/** @param {string} colour @param {number} towards 0 or 255 @param {number} share */
function mix(colour, towards, share) {
  return `rgb(${channels(colour).map((one) => Math.round(one + (towards - one) * share)).join(" ")})`;
}

/** The same hue with more of it: pastels that are told apart on white are all the same grey on black. @param {string} colour */
function deepened(colour) {
  const parts = channels(colour), most = Math.max(...parts), least = Math.min(...parts);
  const depth = most > least ? Math.min(NIGHT_DEPTH, most / (most - least)) : 1; // no further: clipped, hues meet
  return `rgb(${parts.map((one) => Math.round(most - (most - one) * depth)).join(" ")})`;
}

/**
 * How a class of a hazard is filled: colour and hatch in one pattern, for two fills of an area cost twice as much.
 * @param {Look} look @param {[string, string]} style colour, hatch
 */
export function fillOf(look, [colour, hatch]) {
  const bare = hatch === "slash" || hatch === "backslash";
  const fill = look.opacity * (look.night ? 0.32 : 1) * (bare ? 0.12 : 1);
  const line = bare ? mix(colour, 255, look.night ? 0.35 : 0) : look.night ? mix(colour, 255, 0.15) : mix(colour, 0, 0.36);
  return patternOf(hatch, line, Math.min(1, look.opacity * (look.night ? 0.7 : 0.85)), look.night ? deepened(colour) : colour, fill);
}

/** @type {Map<string, CanvasPattern | null>} */
const patterns = new Map();

/** Lines or dots, and a colour under them. @param {string} hatch @param {string} line @param {number} strength @param {string} [under] @param {number} [fill] */
export function patternOf(hatch, line, strength, under = "", fill = 1) {
  const key = `${hatch} ${line} ${strength} ${under} ${fill}`;
  if (!patterns.has(key)) patterns.set(key, drawPattern(hatch, line, strength, under, fill));
  return patterns.get(key) ?? null;
}

/** @param {string} hatch @param {string} line @param {number} strength @param {string} under @param {number} fill */
function drawPattern(hatch, line, strength, under, fill) {
  const canvas = Object.assign(document.createElement("canvas"), { width: SIDE * SHARP, height: SIDE * SHARP });
  const ctx = canvas.getContext("2d");
  if (!ctx) return null;
  ctx.scale(SHARP, SHARP);
  if (under) {
    ctx.globalAlpha = fill;
    ctx.fillStyle = under;
    ctx.fillRect(0, 0, SIDE, SIDE);
  }
  ctx.globalAlpha = strength;
  ctx.strokeStyle = ctx.fillStyle = line;
  DRAW[hatch]?.(ctx);
  const pattern = ctx.createPattern(canvas, "repeat");
  pattern?.setTransform(new DOMMatrix().scale(1 / SHARP));
  return pattern;
}

/** @type {Record<string, (ctx: CanvasRenderingContext2D) => void>} */
const DRAW = {
  dots: (ctx) => {
    for (const [x, y] of [[4, 4], [12, 12]]) {
      ctx.beginPath();
      ctx.arc(x, y, 1.1, 0, 2 * Math.PI);
      ctx.fill();
    }
  },
  lines: (ctx) => diagonals(ctx, SIDE, 1, 1),
  dense: (ctx) => diagonals(ctx, SIDE / 2, 1.1, 1),
  cross: (ctx) => {
    diagonals(ctx, SIDE / 2, 0.9, 1);
    diagonals(ctx, SIDE / 2, 0.9, -1);
  },
  slash: (ctx) => diagonals(ctx, SIDE, 2.4, 1),
  backslash: (ctx) => diagonals(ctx, SIDE, 2.4, -1),
  outside: (ctx) => diagonals(ctx, SIDE / 2, 0.8, -1),
};

/** @param {CanvasRenderingContext2D} ctx @param {number} gap @param {number} width @param {number} way 1 is /, -1 is \ */
function diagonals(ctx, gap, width, way) {
  ctx.lineWidth = width;
  ctx.beginPath();
  for (let at = -SIDE; at <= 2 * SIDE; at += gap) {
    ctx.moveTo(at - SIDE, way > 0 ? 2 * SIDE : -SIDE);
    ctx.lineTo(at + 2 * SIDE, way > 0 ? -SIDE : 2 * SIDE);
  }
  ctx.stroke();
}

/** Fill the path that has been begun. @param {CanvasRenderingContext2D} ctx @param {CanvasPattern | null} style */
export function fillPath(ctx, style) {
  if (!style) return;
  ctx.fillStyle = style;
  ctx.fill();
}

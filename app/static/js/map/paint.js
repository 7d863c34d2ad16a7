// @ts-check
// The paint rules of our own tile schema (maps/layers.py): hazards below, water and roads above them, words on top.
import { fillOf, fillPath } from "./hatch.js";

/** @typedef {import("./frame.js").Layer} Layer @typedef {import("./hatch.js").Look} Look */

const DATA = "data"; // TILE_LAYER
const POINT = 1, LINE = 2;
const ORDER = ["flood_depth", "inland_flood", "storm_surge", "tsunami", "flood_duration", "landslide", "collapse_zone"];
/** Widths in px by zoom; class → [at 11, at 16]. @type {Record<string, [number, number]>} */
const ROADS = { main: [2.4, 11], street: [1.1, 7], lane: [0.6, 3.2] };
/** @type {Record<string, number>} */
const FIRST_ZOOM = { main: 8, street: 12, lane: 14 };

/** @param {Layer[]} layers those that are shown @param {Look} look */
export function paintRules(layers, look) {
  const hazards = [...layers].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
  return [...hazards.flatMap((layer) => hazardRules(layer, look)), ...layers.flatMap((layer) => groundRules(layer, look))];
}

/** @param {Layer} layer @param {Look} look */
function hazardRules(layer, look) {
  if (!layer.classes || look.opacity === 0) return [];
  const styles = Object.fromEntries(Object.entries(layer.classes).map(([code, style]) => [code, fillOf(look, style)]));
  const symbolizer = {
    /** @param {CanvasRenderingContext2D} ctx @param {any[][]} geom @param {number} _z @param {any} feature */
    draw(ctx, geom, _z, feature) {
      const style = styles[String(feature.props[layer.by])];
      if (!style) return;
      trace(ctx, geom);
      fillPath(ctx, style);
    },
  };
  return [{ dataSource: layer.id, dataLayer: DATA, symbolizer }];
}

/** @param {CanvasRenderingContext2D} ctx @param {any[][]} geom */
function trace(ctx, geom) {
  ctx.beginPath();
  for (const ring of geom) {
    for (let at = 0; at < ring.length; at += 1) {
      if (at) ctx.lineTo(ring[at].x, ring[at].y);
      else ctx.moveTo(ring[at].x, ring[at].y);
    }
  }
}

/** @param {Layer} layer @param {Look} look */
function groundRules(layer, look) {
  if (layer.kind !== "basemap" && layer.kind !== "boundary") return [];
  // @ts-ignore: a classic script of the vendor folder
  const { PolygonSymbolizer, LineSymbolizer } = window.protomapsL;
  /** @param {string} kind @param {any} symbolizer @param {(props: any) => boolean} [also] @param {number} [minzoom] */
  const rule = (kind, symbolizer, also = () => true, minzoom = 0) => ({
    dataSource: layer.id, dataLayer: DATA, minzoom, symbolizer,
    filter: (/** @type {number} */ _z, /** @type {any} */ feature) => feature.props.kind === kind && also(feature.props),
  });
  const line = (/** @type {string} */ color, /** @type {any} */ width, /** @type {any} */ more = {}) => new LineSymbolizer({ color, width, ...more });
  const rounded = { lineCap: "round", lineJoin: "round" };
  const roads = Object.entries(ROADS).reverse();
  const widths = (/** @type {[number, number]} */ [low, high], /** @type {number} */ more) => (/** @type {number} */ z) =>
    Math.max(0.5, low * Math.pow(high / low, (z - 11) / 5)) + more;
  return [
    rule("water", new PolygonSymbolizer({ fill: look.water, stroke: look["water-edge"], width: 1 })),
    rule("waterway", line(look.water, (/** @type {number} */ z) => Math.max(1.2, 5 * Math.pow(1.7, z - 14)), rounded)),
    rule("building", new PolygonSymbolizer({ fill: look.building }), undefined, 15),
    ...roads.map(([name, span]) =>
      rule("road", line(look["road-edge"], widths(span, name === "lane" ? 0.8 : 2), rounded), (props) => roadClass(props) === name, FIRST_ZOOM[name])),
    ...roads.map(([name, span]) => rule("road", line(look.road, widths(span, 0), rounded), (props) => roadClass(props) === name, FIRST_ZOOM[name])),
    rule("railway", line(look.rail, (/** @type {number} */ z) => (z < 13 ? 1.5 : 4))),
    rule("railway", line(look.ground, 2, { dash: [9, 9], dashColor: look.ground, dashWidth: 2 }), undefined, 13),
    rule("district", line(look.boundary, 1, { dash: [2, 6], dashColor: look.boundary, dashWidth: 1 }), undefined, 12),
    rule("boundary", line(look.boundary, 2, { dash: [10, 4, 2, 4], dashColor: look.boundary, dashWidth: 2 })),
  ];
}

/** @param {any} props */
const roadClass = (props) => (props.class in ROADS ? props.class : "lane");

/** @param {Layer[]} layers @param {Look} look */
export function labelRules(layers, look) {
  // @ts-ignore: a classic script of the vendor folder
  const { CenteredTextSymbolizer, LineLabelSymbolizer } = window.protomapsL;
  const text = (/** @type {number} */ size, /** @type {string} */ fill, /** @type {number} */ letterSpacing = 0) => ({
    labelProps: ["name"], fill, stroke: look.halo, width: 3, letterSpacing, font: `${size}px ${look.font}`,
  });
  return layers.filter((layer) => layer.kind === "basemap").flatMap((layer) => {
    /** @param {string[]} kinds @param {any} symbolizer @param {number} minzoom @param {number} geomType */
    const rule = (kinds, symbolizer, minzoom, geomType) => ({
      dataSource: layer.id, dataLayer: DATA, minzoom, symbolizer,
      filter: (/** @type {number} */ _z, /** @type {any} */ feature) =>
        kinds.includes(feature.props.kind) && feature.geomType === geomType && Boolean(feature.props.name),
    });
    return [
      rule(["place", "district"], new CenteredTextSymbolizer(text(17, look.word, 2)), 11, POINT),
      rule(["station"], new CenteredTextSymbolizer(text(14, look.word)), 13, POINT),
      rule(["waterway"], new LineLabelSymbolizer({ ...text(16, look["water-edge"]), repeatDistance: 600 }), 13, LINE),
      rule(["road"], new LineLabelSymbolizer({ ...text(13, look.word), repeatDistance: 500 }), 15, LINE),
    ];
  });
}

// @ts-check
// The lock stands where the round's recorder would be: when it is gone, the gap in the track says so.
sessionStorage.setItem("tomoshibi:patrol-left", "locked");

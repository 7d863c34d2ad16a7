"""The invented training city 葦原市: prepared map layers and the script that draws them."""

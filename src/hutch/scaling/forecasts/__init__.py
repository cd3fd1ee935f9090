"""When the compute for transformative models could be afforded: bio anchors."""

"""Approval: a period of a sector is signed off; what changes afterwards is a revision, shown as such."""

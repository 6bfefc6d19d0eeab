"""The one way of an event: envelope, intake, inbox, sequencer, backbone, projector."""

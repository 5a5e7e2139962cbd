//! The hand-written backward, on whichever backend computes it.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{Autodiff, NodeId};
use burn::backend::tensor::FloatTensor;

use super::MaskSpec;
use super::ops::GradientOps;

impl<B: GradientOps, C: CheckpointStrategy> GradientOps for Autodiff<B, C> {
    fn mask_regions(coarse: FloatTensor<Self>, images: FloatTensor<Self>, spec: MaskSpec) -> FloatTensor<Self> {
        let output = |coarse| B::mask_regions(coarse, images.primitive().clone(), spec);
        match MaskRegions.prepare::<C>([coarse.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                let map = prepared.checkpoint(&coarse);
                let output = output(coarse.primitive().clone());
                prepared.finish((map, images.primitive().clone(), spec), output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(output(coarse.primitive().clone())),
        }
    }

    /// A gradient has no gradient here.
    fn mask_regions_backward(
        coarse: FloatTensor<Self>,
        images: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        spec: MaskSpec,
    ) -> FloatTensor<Self> {
        let (coarse, images) = (coarse.primitive().clone(), images.primitive().clone());
        FloatTensor::<Self>::new(B::mask_regions_backward(coarse, images, gradient.primitive().clone(), spec))
    }
}

#[derive(Debug)]
struct MaskRegions;

impl<B: GradientOps> Backward<B, 1> for MaskRegions {
    type State = (NodeId, FloatTensor<B>, MaskSpec);

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let [node] = ops.parents;
        let gradient = gradients.consume::<B>(&ops.node);
        let (map, images, spec) = ops.state;
        let coarse: FloatTensor<B> = checkpointer.retrieve_node_output(map);
        if let Some(node) = node {
            gradients.register::<B>(node.id, B::mask_regions_backward(coarse, images, gradient, spec));
        }
    }
}

using Microsoft.Extensions.Logging;
using Shoal.Grains.Compute;
using Shoal.Storage;

namespace Shoal.Grains.Training;

/// <summary>What a seat's training needs from its silo.</summary>
internal sealed record TrainerServices(
    IGrainFactory Grains, IObjectStore Store, ComputeThread Compute, ModelCache Models, TimeProvider Time, ILogger<SeatTrainer> Logger,
    string Device, TimeSpan Poll);

using Microsoft.Extensions.Logging;
using Shoal.Grains.Compute;
using Shoal.Grains.Telemetry;
using Shoal.Storage;

namespace Shoal.Grains.Training;

/// <summary>What a seat's training needs from its silo.</summary>
internal sealed record TrainerServices(
    IGrainFactory Grains, IObjectStore Store, ComputeThread Compute, ModelCache Models, TimeProvider Time, ILogger<SeatTrainer> Logger,
    TrainingMetrics Metrics, string Device, TimeSpan Poll);

using Shoal.Contracts;
using Shoal.Storage;

namespace Shoal.Grains.Hosting;

/// <summary>Says in a caller's words what storage threw inside a grain: its exceptions do not travel, and a caller must know whether to come again.</summary>
internal sealed class StorageFailureFilter : IIncomingGrainCallFilter
{
    /// <inheritdoc/>
    public async Task Invoke(IIncomingGrainCallContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        try
        {
            await context.Invoke();
        }
        catch (StorageException e)
        {
            throw new ShoalException(e.IsTransient ? ShoalErrorKind.Unavailable : e is StorageCorruptException ? ShoalErrorKind.Damaged : ShoalErrorKind.Conflict, e.Message, e);
        }
    }
}

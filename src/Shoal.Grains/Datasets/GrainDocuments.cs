using Shoal.Contracts;
using Shoal.Storage;

namespace Shoal.Grains.Datasets;

/// <summary>Documents of grains, of which one activation alone may write.</summary>
internal static class GrainDocuments
{
    /// <summary>Saves a grain's document. An activation that finds that another has written ends.</summary>
    /// <typeparam name="T">What the document holds.</typeparam>
    /// <param name="grain">The grain.</param>
    /// <param name="document">Its document.</param>
    /// <param name="value">The new value.</param>
    /// <param name="what">What the grain has, for the error.</param>
    /// <exception cref="ShoalException">Unavailable: another activation wrote first.</exception>
    public static async Task SaveAsync<T>(this IGrainBase grain, StoredDocument<T> document, T value, string what)
        where T : class
    {
        try
        {
            await document.SaveAsync(value);
        }
        catch (ObjectConflictException e)
        {
            grain.DeactivateOnIdle();
            throw new ShoalException(ShoalErrorKind.Unavailable, $"Another activation of {what} wrote first; try again.", e);
        }
    }
}

using System.Globalization;

namespace Shoal.Pages.Models;

/// <summary>Addresses of pages, and of what the API serves to them.</summary>
public static class Links
{
    /// <summary>The page of all datasets.</summary>
    public const string Datasets = "/";

    /// <summary>The page of the silos.</summary>
    public const string Silos = "/silos";

    /// <summary>The page of a dataset's clusters.</summary>
    /// <param name="dataset">The dataset's name.</param>
    public static string Clusters(string dataset) => Page(dataset, "clusters");

    /// <summary>The page of a dataset's map.</summary>
    /// <param name="dataset">The dataset's name.</param>
    public static string Map(string dataset) => Page(dataset, "map");

    /// <summary>The page of how a dataset is learned.</summary>
    /// <param name="dataset">The dataset's name.</param>
    public static string Learning(string dataset) => Page(dataset, "learning");

    /// <summary>The page of an item. Its id is a parameter: in a path, a slash or two dots in it would be taken for another address.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="id">The item's id.</param>
    public static string Item(string dataset, string id) => $"{Page(dataset, "item")}?id={Uri.EscapeDataString(id)}";

    /// <summary>A picture of an item, by the API.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="id">The item's id.</param>
    /// <param name="size">The longer side, in pixels.</param>
    public static string Thumbnail(string dataset, string id, int size) =>
        string.Create(CultureInfo.InvariantCulture, $"/datasets/{Uri.EscapeDataString(dataset)}/thumbnail/{Uri.EscapeDataString(id)}?size={size}");

    /// <summary>The bytes of an item, by the API.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="id">The item's id.</param>
    public static string Content(string dataset, string id) => $"/datasets/{Uri.EscapeDataString(dataset)}/content/{Uri.EscapeDataString(id)}";

    private static string Page(string dataset, string page) => $"/watch/{Uri.EscapeDataString(dataset)}/{page}";
}

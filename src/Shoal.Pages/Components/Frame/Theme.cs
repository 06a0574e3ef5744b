using MudBlazor;

namespace Shoal.Pages.Components.Frame;

/// <summary>MudBlazor in the colours and the type of <c>shoal.css</c>, whose values these are.</summary>
internal static class Theme
{
    /// <summary>For light and for dark.</summary>
    public static readonly MudTheme Shoal = new()
    {
        PaletteLight = new PaletteLight
        {
            Primary = "#1a56b0",
            PrimaryContrastText = "#ffffff",
            Background = "#ffffff",
            Surface = "#f6f7f9",
            TextPrimary = "#1b1d21",
            TextSecondary = "#555b66",
            ActionDefault = "#555b66",
            LinesInputs = "#555b66",
        },
        PaletteDark = new PaletteDark
        {
            Primary = "#8ab4f8",
            PrimaryContrastText = "#14161a",
            Background = "#14161a",
            Surface = "#1e2127",
            TextPrimary = "#eceef2",
            TextSecondary = "#a9b0bd",
            ActionDefault = "#a9b0bd",
            LinesInputs = "#a9b0bd",
        },
        Typography = new Typography
        {
            Default = new DefaultTypography { FontFamily = ["system-ui", "sans-serif"] },
            Button = new ButtonTypography
            {
                FontFamily = ["system-ui", "sans-serif"],
                FontSize = "1rem",
                LetterSpacing = "normal",
                TextTransform = "none",
            },
        },
    };
}

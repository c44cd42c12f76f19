namespace Breakwater.Proxy.Boots;

/// <summary>A part of the boots of one storm.</summary>
/// <param name="Storm">The storm.</param>
/// <param name="Matched">Boots that the filter lets through.</param>
/// <param name="Offset">Of them these are left out before <paramref name="Boots"/>.</param>
/// <param name="Boots">The boots.</param>
internal sealed record BootPage(StormView Storm, int Matched, int Offset, IReadOnlyList<BootView> Boots);

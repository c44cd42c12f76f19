namespace Breakwater.Proxy.Boots;

/// <summary>All boots that are shown, as they stood at one moment. Immutable.</summary>
/// <param name="Version">Another number than before when anything has changed.</param>
/// <param name="Storms">The newest first; none when there was no boot.</param>
/// <param name="ByStorm">The boots of each storm, in the order in which they were seen.</param>
internal sealed record BootSnapshot(long Version, IReadOnlyList<StormView> Storms, IReadOnlyList<BootLine[]> ByStorm)
{
    /// <summary>The boots of all storms, in the order in which they were seen.</summary>
    public IEnumerable<BootLine> Boots => ByStorm.Reverse().SelectMany(static boots => boots);

    /// <summary>The storm that runs, or the last one.</summary>
    public StormView Newest => Storms.Count == 0 ? StormView.None : Storms[0];

    /// <summary>The boots of a storm of it.</summary>
    public IEnumerable<BootLine> Of(StormView storm)
    {
        for (int i = 0; i < Storms.Count; i++)
        {
            if (Storms[i].Id == storm.Id)
            {
                return ByStorm[i];
            }
        }

        return [];
    }
}

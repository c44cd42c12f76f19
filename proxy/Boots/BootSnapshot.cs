namespace Breakwater.Proxy.Boots;

/// <summary>All boots that are shown, as they stood at one moment. Immutable.</summary>
/// <param name="Version">Another number than before when anything has changed.</param>
/// <param name="Storms">The newest first; none when there was no boot.</param>
/// <param name="Boots">In the order in which they were seen.</param>
internal sealed record BootSnapshot(long Version, IReadOnlyList<StormView> Storms, IReadOnlyList<BootLine> Boots)
{
    /// <summary>The storm that runs, or the last one.</summary>
    public StormView Newest => Storms.Count == 0 ? StormView.None : Storms[0];

    /// <summary>The boots of a storm.</summary>
    public IEnumerable<BootLine> Of(StormView storm) => Boots.Where(boot => boot.StormId == storm.Id);
}

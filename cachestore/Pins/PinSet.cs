namespace Breakwater.CacheStore.Pins;

/// <summary>A named set of pinned objects.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Objects">Keys in it.</param>
/// <param name="PresentObjects">Those that the store holds.</param>
/// <param name="PresentBytes">Their bytes.</param>
public sealed record PinSet(string Name, int Objects, int PresentObjects, long PresentBytes);

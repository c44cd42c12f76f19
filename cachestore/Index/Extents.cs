namespace Breakwater.CacheStore.Index;

/// <summary>
/// Where the parts of a sealed object are, and in which generation of its segment each of them was found right. Thread-safe.
/// </summary>
internal sealed class Extents(long[] addresses)
{
    /// <summary>
    /// A part that was found right is believed for so many generations: one minute. To read a part again costs as much as to send it.
    /// </summary>
    private const int BelievedGenerations = 12;

    private readonly int[] _checked = new int[addresses.Length]; // generations; 0: not yet

    public long[] Addresses => addresses;

    public bool IsChecked(int part, int generation) =>
        unchecked((uint)(generation - Volatile.Read(ref _checked[part]))) < BelievedGenerations;

    public void SetChecked(int part, int generation) => Volatile.Write(ref _checked[part], generation);
}

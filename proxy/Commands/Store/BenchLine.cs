namespace Breakwater.Proxy.Commands.Store;

/// <summary>One line of the bench: the store against the plain way to do the same, in the same run on the same disk.</summary>
/// <param name="What">What was done.</param>
/// <param name="Store">The store's figure.</param>
/// <param name="Plain">The plain way's figure.</param>
/// <param name="Unit">Of both.</param>
/// <param name="Ratio">Store by plain.</param>
/// <param name="AllocatedBytes">Bytes allocated by the store for one operation.</param>
internal sealed record BenchLine(string What, double Store, double Plain, string Unit, double Ratio, long AllocatedBytes);

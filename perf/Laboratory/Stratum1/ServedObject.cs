namespace Breakwater.Laboratory.Stratum1;

/// <summary>One thing that the emulated Stratum 1 serves.</summary>
/// <param name="Path">Its URL's path, <c>/cvmfs/&lt;fqrn&gt;/…</c>.</param>
/// <param name="Body">Its bytes.</param>
internal sealed record ServedObject(string Path, byte[] Body);

namespace Breakwater.Proxy.Settings;

/// <summary>Where a value of the settings stands.</summary>
/// <param name="Source">Path of the file; or what else it is, for people: <c>environment variable Store__Path</c>, <c>preset
/// cern</c>.</param>
/// <param name="Line">Line of the file, from 1; 0: no file.</param>
/// <param name="Column">Column in characters, from 1; 0: no file.</param>
internal sealed record SettingsPlace(string Source, int Line = 0, int Column = 0)
{
    /// <summary>As people and editors read it.</summary>
    public override string ToString() => Line == 0 ? Source : FormattableString.Invariant($"{Source}, line {Line}, column {Column}");
}

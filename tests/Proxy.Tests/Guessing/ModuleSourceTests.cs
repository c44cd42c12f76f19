using Breakwater.Proxy.Guessing;
using CsCheck;

namespace Breakwater.Proxy.Tests.Guessing;

public sealed class ModuleSourceTests
{
    [Theory]
    [InlineData("import os", "os")]
    [InlineData("import os, xml.dom as dom,re # all", "os xml/dom re")]
    [InlineData("import\tos", "os")]
    [InlineData("from a.b import c, d", "a/b a/b/c a/b/d")]
    [InlineData("from .own import c", "own own/c")]
    [InlineData("from . import c, d as e", "c d")]
    [InlineData("from .. import (c, d)", "c d")]
    [InlineData("from importlib import abc", "importlib importlib/abc")]
    [InlineData("    import later", "")]
    [InlineData("importer = 1", "")]
    [InlineData("import", "")]
    [InlineData("import ", "")]
    [InlineData("from ", "")]
    [InlineData("from . ", "")]
    [InlineData("import 9, ,/etc/passwd, ../x, a..b, .c.", "")]
    [InlineData("import os\r\nimport os\nimport re", "os re")]
    public void PythonImports_OfALine_AreItsModules(string source, string modules) =>
        Assert.Equal(modules.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            ModuleSource.PythonImports(source));

    [Theory]
    [InlineData("use strict;", "strict")]
    [InlineData("  use File::Find qw(find);", "File/Find")]
    [InlineData("use\tSocket;", "Socket")]
    [InlineData("require Carp::Heavy;", "Carp/Heavy")]
    [InlineData("  require Later;", "")]
    [InlineData("use 5.006;\nuse v5.36;\nrequire 5.0;", "")]
    [InlineData("use\nuse ", "")]
    [InlineData("useful Thing;", "")]
    [InlineData("use A;\n__END__\nuse B;", "A")]
    [InlineData("use A;\n__DATA__\nuse B;", "A")]
    [InlineData("=head1 USE\n\nuse Manual;\n\n=cut\n\nuse A;", "A")]
    [InlineData("package POSIX;\nXSLoader::load();", "auto/POSIX/POSIX")]
    [InlineData("package List::Util;\n  bootstrap List::Util;", "auto/List/Util/Util")]
    [InlineData("XSLoader::load();", "")]
    public void PerlUses_OfALine_AreItsModules(string source, string modules) =>
        Assert.Equal(modules.Split(' ', StringSplitOptions.RemoveEmptyEntries), ModuleSource.PerlUses(source, out _));

    [Theory]
    [InlineData("package A::B;\npackage C;", "A/B")]
    [InlineData("=pod\npackage A;\n=cut\n", null)]
    [InlineData("  package A;", null)]
    [InlineData("package ;", null)]
    public void PerlUses_ThePackage_IsTheFirst(string source, string? package)
    {
        ModuleSource.PerlUses(source, out string? first);

        Assert.Equal(package, first);
    }

    [Theory]
    [InlineData(200, 1)]
    [InlineData(201, 0)]
    public void Names_LongestOne_Is200Characters(int length, int names)
    {
        string name = new('n', length);

        Assert.Equal(names, ModuleSource.PythonImports($"import {name}").Count);
        Assert.Equal(names, ModuleSource.PerlUses($"package {name};\nuse {name};", out string? package).Count);
        Assert.Equal(names == 1, package is not null);
    }

    [Fact]
    public void Names_MoreThanAreRead_AreCutOff()
    {
        string imports = "import " + string.Join(',', Enumerable.Range(0, 200).Select(i => $"n{i}"));

        Assert.Equal(Enumerable.Range(0, ProgramNeeds.MaxNames).Select(i => $"n{i}"), ModuleSource.PythonImports(imports));
    }

    [Fact]
    public void Names_OfAnyText_AreBoundedAndLeadNowhereElse()
    {
        string[] parts =
        [
            "import ", "from ", "use ", "package ", "require ", ".", "..", "::", "/", "a", "b9", ",", "(", "\n", " ", "=cut", "=x",
            "XSLoader::load", "bootstrap ",
        ];
        Gen.Int[0, parts.Length - 1].Array[0, 40].Sample(some =>
        {
            string text = string.Concat(some.Select(part => parts[part]));
            List<string> names = [.. ModuleSource.PythonImports(text), .. ModuleSource.PerlUses(text, out _)];
            Assert.All(names, name => Assert.True(name.Length <= 700 && !name.Contains('.', StringComparison.Ordinal), name));
            Assert.DoesNotContain("", names.SelectMany(name => name.Split('/')));
        }, iter: 20_000);
    }
}
